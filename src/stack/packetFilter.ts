/**
 * Rules that drop packets on their way into the stack, at one of two places:
 *
 *   tc    `tc filter add dev … ingress flower … action drop`: any packet, behind the taps
 *   raw   `iptables -t raw -A PREROUTING … -j DROP`: IPv4 packets whose header is right
 *
 * The conditions of a rule must all hold; the first rule that matches drops. A hook costs the same
 * however many rules it has, and tc's hold for every device. As in Linux the two differ in what they
 * look at: to flower a first fragment has no ports, and a packet with a VLAN tag is no IP packet,
 * since `protocol ip` is compared with the tag's; iptables sees the ports of a first fragment.
 *
 * @linux cls_flower; net/sched/cls_flower.c. ipt_do_table; net/ipv4/netfilter/ip_tables.c
 */
import { FlowKeys } from './flowKeys.ts';
import type { In6Addr } from './in6.ts';
import { in6SamePrefix } from './in6.ts';
import { NF_ACCEPT, NF_DROP, TC_ACT_OK, TC_ACT_SHOT } from './net.ts';
import type { PacketHook } from './net.ts';
import type { SkBuff } from './skbuff.ts';

/** Addresses whose first `bits` agree: of 128, since an IPv4 address is the fourth word. */
export interface AddrPrefix {
  readonly addr: In6Addr;
  readonly bits: number;
}

/** What a rule compares; a condition left out always holds, and a rule without any drops everything. */
export interface PacketMatch {
  readonly version?: 4 | 6 | undefined;
  /** Either version's, where that is left out. */
  readonly protocol?: number | undefined;
  readonly src?: AddrPrefix | undefined;
  readonly dst?: AddrPrefix | undefined;
  /** First and last. */
  readonly srcPorts?: readonly [number, number] | undefined;
  readonly dstPorts?: readonly [number, number] | undefined;
}

const keys: FlowKeys = new FlowKeys();

class DropRules implements PacketHook {
  private readonly rules: readonly PacketMatch[];
  private readonly flower: boolean;
  private readonly drop: number;
  private readonly pass: number;

  constructor(rules: readonly PacketMatch[], flower: boolean, drop: number, pass: number) {
    this.rules = rules;
    this.flower = flower;
    this.drop = drop;
    this.pass = pass;
  }

  onSkb(skb: SkBuff): number {
    keys.dissect(skb, !this.flower);
    if (this.flower && skb.vlanProto !== 0) keys.version = 0;
    for (let i = 0; i < this.rules.length; i++) if (matches(this.rules[i]!)) return this.drop;
    return this.pass;
  }
}

/** To hang at `net.ingress`. */
export const tcDropRules = (rules: readonly PacketMatch[]): PacketHook =>
  new DropRules(rules, true, TC_ACT_SHOT, TC_ACT_OK);

/** To hang at `net.preRouting`. */
export const rawDropRules = (rules: readonly PacketMatch[]): PacketHook =>
  new DropRules(rules, false, NF_DROP, NF_ACCEPT);

/** Do `keys` fulfil a rule? */
function matches({ version, protocol, src, dst, srcPorts, dstPorts }: PacketMatch): boolean {
  if (version !== undefined && keys.version !== version) return false;
  if (keys.version === 0) return (protocol ?? src ?? dst ?? srcPorts ?? dstPorts) === undefined;
  return (
    (protocol === undefined || keys.protocol === protocol) &&
    within(src, keys.saddr) &&
    within(dst, keys.daddr) &&
    holds(srcPorts, keys.sport) &&
    holds(dstPorts, keys.dport)
  );
}

const within = (prefix: AddrPrefix | undefined, addr: In6Addr): boolean =>
  prefix === undefined || in6SamePrefix(prefix.addr, addr, prefix.bits);

const holds = (range: readonly [number, number] | undefined, port: number): boolean =>
  range === undefined || (port >= range[0] && port <= range[1]);
