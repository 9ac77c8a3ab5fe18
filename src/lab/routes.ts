/** Routes and neighbours in the words of `ip route add` and `ip neigh add`. */
import {
  RTN_BLACKHOLE,
  RTN_PROHIBIT,
  RTN_THROW,
  RTN_UNICAST,
  RTN_UNREACHABLE,
  prefixMask,
} from '../stack/fib.ts';
import type { NeighConfig, RouteConfig } from '../machine/routeConfig.ts';
import { macIsMulticast, parseMac } from '../wire/eth.ts';
import { formatIpv4, parseIpv4Addr } from '../wire/ipv4.ts';
import { parseCidr } from './addresses.ts';
import { Refusal } from './optionKinds.ts';

const TYPES: Readonly<Record<string, number>> = {
  unicast: RTN_UNICAST,
  blackhole: RTN_BLACKHOLE,
  unreachable: RTN_UNREACHABLE,
  prohibit: RTN_PROHIBIT,
  throw: RTN_THROW,
};
const ROUTE_FORM = '10.2.0.0/16 via 10.0.1.254 dev eth1, or blackhole 10.3.0.0/16';
const NEIGH_FORM = '10.0.1.9 lladdr 02:00:00:00:00:09 dev eth1';

/** `default via 10.0.1.254`, `10.2.0.0/16 dev eth1`, `unreachable 10.3.0.0/16`. @throws Refusal, AddressError */
export function parseRoute(_place: string, text: string): RouteConfig {
  const words = text.trim().split(/\s+/);
  const type = Object.hasOwn(TYPES, words[0]!) ? TYPES[words.shift()!]! : RTN_UNICAST;
  const [dst, prefixLen] = parsePrefix(words.shift() ?? '', text);
  const said = pairs(words, ['via', 'dev'], text, ROUTE_FORM);
  const via = said.get('via');
  const gateway = via === undefined ? 0 : parseIpv4Addr(via);
  const dev = said.get('dev') ?? '';
  if (type !== RTN_UNICAST && said.size > 0)
    throw new Refusal(`${text.trim()}: a route that leads nowhere has neither via nor dev`);
  if (type === RTN_UNICAST && said.size === 0)
    throw new Refusal(`${text.trim()}: needs via or dev (as ${ROUTE_FORM})`);
  return { type, dst, prefixLen, gateway, dev };
}

/** `10.0.1.9 lladdr 02:00:00:00:00:09 dev eth1`. @throws Refusal, AddressError */
export function parseNeigh(_place: string, text: string): NeighConfig {
  const [addr = '', ...words] = text.trim().split(/\s+/);
  const said = pairs(words, ['lladdr', 'dev'], text, NEIGH_FORM);
  const lladdr = said.get('lladdr');
  const dev = said.get('dev');
  if (lladdr === undefined || dev === undefined)
    throw new Refusal(`${text.trim()}: needs lladdr and dev (as ${NEIGH_FORM})`);
  const mac = parseMac(lladdr);
  if (macIsMulticast(mac.hi16)) throw new Refusal(`${lladdr} is no address of one NIC`);
  return { addr: parseIpv4Addr(addr), mac, dev };
}

function parsePrefix(prefix: string, text: string): readonly [dst: number, prefixLen: number] {
  if (prefix === 'default') return [0, 0];
  if (prefix === '') throw new Refusal(`${text.trim()}: no network (as ${ROUTE_FORM})`);
  const [version, words, len] = parseCidr(prefix);
  if (version === 6) throw new Refusal(`${prefix}: only IPv4 has routes here`);
  const [, , , dst] = words;
  const prefixLen = len - 96;
  const net = (dst & prefixMask(prefixLen)) >>> 0;
  if (net !== dst)
    throw new Refusal(
      `${prefix}: bits behind the prefix are set (${formatIpv4(net)}/${prefixLen} is meant?)`,
    );
  return [dst, prefixLen];
}

/** Words and their values, each word once. */
function pairs(
  words: readonly string[],
  known: readonly string[],
  text: string,
  form: string,
): ReadonlyMap<string, string> {
  const said = new Map<string, string>();
  for (let i = 0; i < words.length; i += 2) {
    const word = words[i]!;
    const value = words[i + 1];
    if (!known.includes(word))
      throw new Refusal(`${text.trim()}: ${word} is not one of ${known.join(', ')} (as ${form})`);
    if (value === undefined) throw new Refusal(`${text.trim()}: ${word} needs a value`);
    if (said.has(word)) throw new Refusal(`${text.trim()}: ${word} is given twice`);
    said.set(word, value);
  }
  return said;
}
