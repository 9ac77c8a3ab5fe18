/** How frames spread over flows, and flows over protocols. Flow 0 is always the heaviest. */
import type { PatternSpec, ProtoWeight } from './trafficSpec.ts';
import { expOf, lnOf } from './variates.ts';

export interface FlowMix {
  /** Probability that a frame belongs to the flow. */
  readonly probs: Float64Array;
  /** Index of the flow's protocol in the traffic's list. */
  readonly proto: Uint8Array;
}

/**
 * Every flow has one protocol; protocols' shares of the frames are exact, and the pattern's law
 * gives way where both cannot be had (an elephant of 80 % among halves of UDP and TCP is half of
 * all frames). With many light flows what gives way is too little to see.
 */
export function flowMix(
  pattern: PatternSpec,
  flows: number,
  protos: readonly ProtoWeight[],
): FlowMix {
  const probs = patternProbs(pattern, flows);
  const proto = new Uint8Array(flows);
  if (protos.length > 1) dealProtos(probs, proto, protos);
  return { probs, proto };
}

function patternProbs(pattern: PatternSpec, flows: number): Float64Array {
  if (pattern.kind === 'uniform' || flows === 1) return new Float64Array(flows).fill(1 / flows);
  if (pattern.kind === 'elephant') {
    const probs = new Float64Array(flows).fill((1 - pattern.share) / (flows - 1));
    probs[0] = pattern.share;
    return probs;
  }
  const { exponent } = pattern;
  const weights = new Float64Array(flows).map((_, i) =>
    exponent === 1 ? 1 / (i + 1) : expOf(-exponent * lnOf(i + 1)),
  );
  const sum = weights.reduce((a, b) => a + b, 0);
  return weights.map((w) => w / sum);
}

// Each flow goes to the protocol that is furthest behind its share so far; the last flows are kept
// for protocols that have none yet. Then each protocol's flows are scaled to its exact share.
function dealProtos(probs: Float64Array, proto: Uint8Array, protos: readonly ProtoWeight[]): void {
  const total = protos.reduce((sum, p) => sum + p.weight, 0);
  const share = protos.map((p) => p.weight / total);
  const dealt = protos.map(() => 0);
  const members = protos.map(() => 0);
  let sum = 0;
  for (let flow = 0; flow < probs.length; flow++) {
    sum += probs[flow]!;
    const empty = members.filter((n) => n === 0).length;
    const onlyEmpty = probs.length - flow <= empty;
    const best = furthestBehind(share, dealt, sum, (p) => !onlyEmpty || members[p] === 0);
    proto[flow] = best;
    dealt[best] = dealt[best]! + probs[flow]!;
    members[best] = members[best]! + 1;
  }
  for (let flow = 0; flow < probs.length; flow++) {
    const p = proto[flow]!;
    // A protocol whose flows weigh nothing (an elephant of 100 %) shares its part among them evenly.
    const part = dealt[p]! > 0 ? probs[flow]! / dealt[p]! : 1 / members[p]!;
    probs[flow] = share[p]! * part;
  }
}

function furthestBehind(
  share: readonly number[],
  dealt: readonly number[],
  sum: number,
  allowed: (proto: number) => boolean,
): number {
  let best = -1;
  let most = -Infinity;
  share.forEach((s, p) => {
    const behind = s * sum - dealt[p]!;
    if (behind > most && allowed(p)) {
      most = behind;
      best = p;
    }
  });
  return best;
}
