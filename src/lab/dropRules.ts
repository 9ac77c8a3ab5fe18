/**
 * Rules that drop packets in the stack, in the words of `iptables` without its dashes:
 *
 *   udp dport 53          src 10.0.0.0/8 tcp dport 1:1023          all
 */
import type { AddrPrefix, PacketMatch } from '../stack/packetFilter.ts';
import { In6Addr } from '../stack/in6.ts';
import { IPPROTO_ICMP, IPPROTO_ICMPV6, IPPROTO_TCP, IPPROTO_UDP } from '../wire/ip.ts';
import { parseCidr } from './addresses.ts';
import { Refusal } from './optionKinds.ts';

type Rule = { -readonly [K in keyof PacketMatch]: PacketMatch[K] };

const KINDS: Readonly<Record<string, PacketMatch>> = {
  all: {},
  ip: { version: 4 },
  ip6: { version: 6 },
  tcp: { protocol: IPPROTO_TCP },
  udp: { protocol: IPPROTO_UDP },
  icmp: { version: 4, protocol: IPPROTO_ICMP },
  icmp6: { version: 6, protocol: IPPROTO_ICMPV6 },
};
const FIELDS = ['src', 'dst', 'sport', 'dport'];
const WORDS = [...Object.keys(KINDS), ...FIELDS].join(', ');
const PORT_MAX = 65_535;

/** A rule of traffic control, which sees packets of every kind. @throws Refusal */
export function parseTcDrop(_place: string, text: string): PacketMatch {
  const words = text.trim().split(/\s+/);
  const rule: Rule = {};
  const seen = new Set<string>();
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    const kind = Object.hasOwn(KINDS, word) ? KINDS[word] : undefined;
    const what = kind === undefined ? word : 'protocol';
    if (kind === undefined && !FIELDS.includes(word))
      throw new Refusal(`${word || 'nothing'} is not one of ${WORDS}`);
    if (seen.has(what)) throw new Refusal(`${text.trim()}: ${what} is given twice`);
    seen.add(what);
    if (kind === undefined) setField(rule, word, words[++i]);
    else {
      if (kind.version !== undefined) setVersion(rule, kind.version, word);
      rule.protocol = kind.protocol;
    }
  }
  const ported = rule.protocol === IPPROTO_TCP || rule.protocol === IPPROTO_UDP;
  if ((rule.srcPorts ?? rule.dstPorts) !== undefined && !ported)
    throw new Refusal(`${text.trim()}: a port needs tcp or udp`);
  return rule;
}

/** A rule of `iptables -t raw`, which sees IPv4 alone. @throws Refusal */
export function parseRawDrop(place: string, text: string): PacketMatch {
  const rule = parseTcDrop(place, text);
  if (rule.version === 6) throw new Refusal(`${text.trim()}: iptables sees IPv4 alone`);
  return rule;
}

function setField(rule: Rule, field: string, value: string | undefined): void {
  if (value === undefined) throw new Refusal(`${field} needs a value`);
  if (field === 'sport') rule.srcPorts = ports(field, value);
  else if (field === 'dport') rule.dstPorts = ports(field, value);
  else {
    const [version, words, bits] = parseCidr(value);
    setVersion(rule, version, value);
    const prefix: AddrPrefix = { addr: new In6Addr(...words), bits };
    if (field === 'src') rule.src = prefix;
    else rule.dst = prefix;
  }
}

function setVersion(rule: Rule, version: 4 | 6, said: string): void {
  if (rule.version !== undefined && rule.version !== version)
    throw new Refusal(`${said} is of IPv${version}, the rest of the rule of IPv${rule.version}`);
  rule.version = version;
}

/** `53`, or `1:1023`. */
function ports(field: string, text: string): readonly [number, number] {
  const [first = '', last = first, ...more] = text.split(':');
  const range = [first, last].map((port) => (/^\d{1,5}$/.test(port) ? Number(port) : NaN));
  const [from, to] = range as [number, number];
  if (more.length > 0 || !(from <= to && to <= PORT_MAX))
    throw new Refusal(
      `${field} ${text} is no port and no range (0 to ${PORT_MAX}, as 53 or 1:1023)`,
    );
  return [from, to];
}
