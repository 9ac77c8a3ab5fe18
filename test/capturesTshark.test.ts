/**
 * What leaves the machine, judged by tshark: every file opens, no frame has become malformed, no
 * checksum that was right has become wrong. The judge says first what it thinks of the input.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { run } from '../src/node.ts';
import { PcapWriter, readCapture } from '../src/wire/capture.ts';
import { CAPTURES } from './captureCases.ts';

const dir = mkdtempSync(join(tmpdir(), 'ringscope-'));
const inDir = (name: string): string => join(dir, name);
const MAX_OUTPUT = 2 ** 28;

function tool(name: string, ...args: readonly string[]): string {
  const stdio = ['ignore', 'pipe', 'ignore'] as const;
  return execFileSync(name, args, { encoding: 'utf8', maxBuffer: MAX_OUTPUT, stdio: [...stdio] });
}

function missing(): boolean {
  try {
    for (const name of ['tshark', 'mergecap']) tool(name, '--version');
    return false;
  } catch {
    return true;
  }
}

const SUMS = ['ip', 'tcp', 'udp', 'icmp', 'icmpv6'].map((proto) => `${proto}.checksum.status`);
/** Each frame by itself: nothing is put together from several. */
const PREFS = [
  'ip.check_checksum:TRUE',
  'tcp.check_checksum:TRUE',
  'udp.check_checksum:TRUE',
  'ip.defragment:FALSE',
  'ipv6.defragment:FALSE',
  'tcp.desegment_tcp_streams:FALSE',
].flatMap((pref) => ['-o', pref]);

interface Judgement {
  readonly capLen: number;
  readonly malformed: boolean;
  /** Per protocol, one status per header, outermost first; 1 is right. */
  readonly sums: readonly (readonly string[])[];
}

function judge(file: string): Judgement[] {
  const fields = ['frame.cap_len', '_ws.malformed', ...SUMS].flatMap((field) => ['-e', field]);
  const text = tool('tshark', '-n', '-r', file, ...PREFS, '-T', 'fields', ...fields);
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => {
      const [capLen = '', malformed = '', ...sums] = line.split('\t');
      const statuses = sums.map((list) => (list === '' ? [] : list.split(',')));
      return { capLen: Number(capLen), malformed: malformed !== '', sums: statuses };
    });
}

function framesOf(bytes: Uint8Array): Uint8Array[] {
  const capture = readCapture(bytes, 'frames');
  return capture.frames.map((f) => capture.bytes.subarray(f.at, f.at + f.capLen - f.fcsLen));
}

const text = (...parts: readonly Uint8Array[]): string => Buffer.concat(parts).toString('latin1');

/** How to find the frame that an output frame was made from, and the headers put in front of it. */
interface Made {
  /** Of a frame that came in. */
  readonly from: (frame: Uint8Array) => string;
  /** The same text, of what went out for it. */
  readonly to: (frame: Uint8Array) => string;
  readonly outer: 'ip' | null;
}

const SAME: Made = { from: text, to: text, outer: null };
const ECHOED: Made = {
  from: text,
  to: (f) => text(f.subarray(6, 12), f.subarray(0, 6), f.subarray(12)),
  outer: null,
};

function l3Of(frame: Uint8Array): number {
  let at = 12;
  const isTag = (type: number): boolean => type === 0x8100 || type === 0x88a8;
  for (let tags = 0; tags < 2 && isTag((frame[at]! << 8) | frame[at + 1]!); tags++) at += 4;
  return at + 2;
}
/** Encapsulated: the source MAC is new, the old destination is in its place. */
const WRAPPED: Made = {
  from: (f) => text(f.subarray(0, 6), f.subarray(12)),
  to: (f) => {
    const l3 = l3Of(f);
    const outer = f[l3]! >> 4 === 4 ? 20 : 40;
    return text(f.subarray(6, l3), f.subarray(l3 + outer));
  },
  outer: 'ip',
};

/** Right before, so right after; and the new outer header, where it has one, is right as well. */
function soundSums(before: Judgement, after: Judgement, made: Made, frame: Uint8Array): boolean {
  return after.sums.every((list, proto) => {
    const isOuter = made.outer === 'ip' && SUMS[proto]!.startsWith('ip.');
    const added = isOuter && frame[l3Of(frame)]! >> 4 === 4 ? 1 : 0;
    const was = before.sums[proto]!;
    const now = list.slice(added);
    if (list.slice(0, added).some((status) => status !== '1')) return false;
    return now.length >= was.length && was.every((status, i) => status !== '1' || now[i] === '1');
  });
}

/** Output frames that are worse than what they were made from, as text; empty when all is well. */
function worse(
  known: ReadonlyMap<string, Judgement>,
  frames: readonly Uint8Array[],
  after: readonly Judgement[],
  made: Made,
): string[] {
  return frames.flatMap((frame, i) => {
    const before = known.get(made.to(frame));
    const now = after[i]!;
    if (before === undefined) return [`frame ${i + 1} was never sent: ${toHex(frame)}`];
    const spoilt = (now.malformed && !before.malformed) || !soundSums(before, now, made, frame);
    return spoilt ? [`frame ${i + 1} ${toHex(frame)}: ${JSON.stringify({ before, now })}`] : [];
  });
}

const toHex = (frame: Uint8Array): string => Buffer.from(frame).toString('hex');

const INPUT = CAPTURES.flatMap(({ bytes }) => framesOf(bytes));

let inputVerdicts: readonly Judgement[] | null = null;

function judgedInput(made: Made): Map<string, Judgement> {
  inputVerdicts ??= judgeInput();
  const verdicts = inputVerdicts;
  return new Map(INPUT.map((frame, i) => [made.from(frame), verdicts[i]!]));
}

function judgeInput(): Judgement[] {
  const writer = new PcapWriter();
  for (const frame of INPUT) writer.frame(0, 0, frame, 0, frame.length);
  writeFileSync(inDir('input.pcap'), writer.finish());
  const verdicts = judge(inDir('input.pcap'));
  expect(verdicts.length).toBe(INPUT.length);
  return verdicts;
}

/**
 * All outputs of one example, each file opened as it is, in one stream.
 *
 * @param stack `on`: what the stack answers leaves as well
 */
async function outputs(
  xdp: string,
  which: 'txOut' | 'passOut',
  stack: 'on' | 'off',
): Promise<{ frames: Uint8Array[]; verdicts: Judgement[] }> {
  const frames: Uint8Array[] = [];
  const files: string[] = [];
  for (const [i, { bytes }] of CAPTURES.entries()) {
    const file = inDir(`${xdp}-${which}-${stack}-${i}.pcapng`);
    const { captures } = await run({ xdp, in: bytes, stack, [which]: file });
    frames.push(...framesOf(captures[which]!));
    files.push(file);
  }
  const merged = inDir(`${xdp}-${which}-${stack}.pcapng`);
  tool('mergecap', '-a', '-w', merged, ...files);
  return { frames, verdicts: judge(merged) };
}

const CASES = [
  ['pass', 'passOut', SAME],
  ['echo', 'txOut', ECHOED],
  ['redirect', 'txOut', SAME],
  ['l4lb', 'txOut', WRAPPED],
  ['l4lb', 'passOut', SAME],
] as const;

test.skipIf(missing()).each(CASES)(
  'tshark: what %s sends to %s is as sound as what came in',
  async (xdp, which, made) => {
    const known = judgedInput(made);
    const { frames, verdicts } = await outputs(xdp, which, which === 'txOut' ? 'off' : 'on');
    expect(frames.length).toBeGreaterThan(20);
    expect(verdicts.map(({ capLen }) => capLen)).toEqual(frames.map((frame) => frame.length));
    expect(worse(known, frames, verdicts, made).slice(0, 3)).toEqual([]);
  },
);

test.skipIf(missing())('tshark: what the stack answers is sound', async () => {
  const { verdicts } = await outputs('pass', 'txOut', 'on');
  expect(verdicts.length).toBeGreaterThan(20);
  expect(verdicts.filter(({ malformed }) => malformed)).toEqual([]);
  // the outermost header of each protocol; what an ICMP error quotes is as it came in
  const wrong = verdicts.filter(({ sums }) => sums.some(([outer = '1']) => outer === '0'));
  expect(wrong).toEqual([]);
});

test.skipIf(missing())('tshark: a spoilt frame would be noticed', () => {
  const known = judgedInput(SAME);
  const sound = INPUT.filter((frame) => known.get(text(frame))!.sums[1]![0] === '1').slice(0, 5);
  const wrong: readonly Uint8Array[] = sound.map((frame) => Uint8Array.from(frame));
  for (const frame of wrong) frame[frame.length - 1]! ^= 0xff;
  const writer = new PcapWriter();
  for (const frame of wrong) writer.frame(0, 0, frame, 0, frame.length);
  writeFileSync(inDir('wrong.pcap'), writer.finish());
  const original: Made = { ...SAME, to: (frame) => text(sound[wrong.indexOf(frame)]!) };
  expect(sound).toHaveLength(5);
  expect(worse(known, wrong, judge(inDir('wrong.pcap')), original)).not.toEqual([]);
});
