/**
 * Steering in ethtool's own words: `-X hkey`, `-N rx-flow-hash`, and rules as `-N flow-type` takes
 * them.
 */
import type { RxFlow } from '../driver/bnxt/rxnfc.ts';
import type { HwrmCfaNtupleFilterAllocInput } from '../nic/hsi/hwrm.ts';
import { HW_HASH_KEY_SIZE } from '../nic/hsi/hwrm.ts';
import { parseIpv4Addr } from '../wire/ipv4.ts';
import { parseIpv6Addr } from '../wire/ipv6Text.ts';
import { Refusal } from './optionKinds.ts';

/** `6d:5a:…`, 40 bytes. @throws Refusal */
export function parseRssKey(_place: string, text: string): Uint8Array {
  const bytes = text.split(':');
  const wrong = bytes.find((byte) => !/^[0-9a-f]{2}$/i.test(byte));
  if (wrong !== undefined)
    throw new Refusal(`${wrong || 'nothing'} is not a byte of two hex digits`);
  if (bytes.length !== HW_HASH_KEY_SIZE)
    throw new Refusal(`${bytes.length} bytes, a key has ${HW_HASH_KEY_SIZE}`);
  return Uint8Array.from(bytes, (byte) => Number.parseInt(byte, 16));
}

/** Whether the ports of each kind of flow take part in its hash. */
export type FlowHash = readonly (readonly [RxFlow, boolean])[];

const FLOWS: readonly RxFlow[] = ['tcp4', 'udp4', 'tcp6', 'udp6'];

/** `udp4 sdfn, tcp4 sd`. @throws Refusal */
export function parseFlowHash(_place: string, text: string): FlowHash {
  const seen = new Set<RxFlow>();
  return text.split(',').map((part): readonly [RxFlow, boolean] => {
    const [name = '', fields = '', ...more] = part.trim().split(/\s+/);
    const flow = FLOWS.find((known) => known === name);
    if (flow === undefined)
      throw new Refusal(`${name || 'nothing'} is not one of ${FLOWS.join(', ')}`);
    if (more.length > 0 || (fields !== 'sd' && fields !== 'sdfn'))
      throw new Refusal(`${part.trim()}: expected sd (addresses) or sdfn (ports too)`);
    if (seen.has(flow)) throw new Refusal(`${flow} is given twice`);
    seen.add(flow);
    return [flow, fields === 'sdfn'];
  });
}

interface FlowType {
  readonly version: 4 | 6;
  readonly ipProtocol?: number;
}

const TCP = 6;
const UDP = 17;
/** A type without its version means the fourth, as in `tcpdump`. */
const FLOW_TYPES: Readonly<Record<string, FlowType>> = {
  ip4: { version: 4 },
  tcp4: { version: 4, ipProtocol: TCP },
  udp4: { version: 4, ipProtocol: UDP },
  ip6: { version: 6 },
  tcp6: { version: 6, ipProtocol: TCP },
  udp6: { version: 6, ipProtocol: UDP },
};
const DISCARD = -1;
const ICMP_OF = { 4: 1, 6: 58 } as const;

/**
 * One rule: a flow type, fields to match exactly, and a ring, or -1 to drop.
 *
 * @throws Refusal
 */
export function parseNtuple(_place: string, text: string): HwrmCfaNtupleFilterAllocInput {
  const words = text.trim().split(/\s+/);
  if (words[0] === 'flow-type') words.shift();
  const name = words.shift() ?? '';
  const type = FLOW_TYPES[/\d$/.test(name) ? name : `${name}4`];
  if (type === undefined)
    throw new Refusal(`${name || 'nothing'} is not one of ${Object.keys(FLOW_TYPES).join(', ')}`);
  const rule: {
    -readonly [K in keyof HwrmCfaNtupleFilterAllocInput]?: HwrmCfaNtupleFilterAllocInput[K];
  } = {
    ethertype: type.version === 4 ? 0x0800 : 0x86dd,
    ...(type.ipProtocol === undefined ? {} : { ipProtocol: type.ipProtocol }),
  };
  for (let i = 0; i < words.length; i += 2) {
    if (words.findIndex((word, at) => at % 2 === 0 && word === words[i]) < i)
      throw new Refusal(`${text.trim()}: ${words[i]} is given twice`);
    setField(rule, type, words[i]!, words[i + 1]);
  }
  if (rule.dst === undefined) throw new Refusal(`${text.trim()}: needs an action`);
  return rule as HwrmCfaNtupleFilterAllocInput;
}

function setField(
  rule: { -readonly [K in keyof HwrmCfaNtupleFilterAllocInput]?: HwrmCfaNtupleFilterAllocInput[K] },
  type: FlowType,
  field: string,
  value: string | undefined,
): void {
  if (value === undefined) throw new Refusal(`${field} needs a value`);
  switch (field) {
    case 'src-ip':
      rule.srcIpaddr = address(type, value);
      return;
    case 'dst-ip':
      rule.dstIpaddr = address(type, value);
      return;
    case 'src-port':
    case 'dst-port':
      if (type.ipProtocol === undefined) throw new Refusal(`${field} needs tcp or udp`);
      rule[field === 'src-port' ? 'srcPort' : 'dstPort'] = whole(field, value, 0, 65535);
      return;
    case 'l4proto':
      if (type.ipProtocol !== undefined) throw new Refusal('l4proto needs ip4 or ip6');
      rule.ipProtocol = whole(field, value, 0, 255);
      // tcp and udp are flow types of their own; of the rest the driver (bnxt_verify_ntuple_ip4_flow) takes one
      if (rule.ipProtocol !== ICMP_OF[type.version])
        throw new Refusal(`l4proto ${value}: bnxt takes ${ICMP_OF[type.version]} (ICMP) alone`);
      return;
    case 'action':
      rule.dst = whole(field, value, DISCARD, 63);
      return;
    default:
      throw new Refusal(
        `${field} is not one of src-ip, dst-ip, src-port, dst-port, l4proto, action`,
      );
  }
}

function whole(field: string, text: string, min: number, max: number): number {
  const n = Number(text);
  if (!Number.isInteger(n) || n < min || n > max)
    throw new Refusal(`${field} ${text} is out of range (${min} to ${max})`);
  return n;
}

function address({ version }: FlowType, text: string): Uint8Array {
  if (version === 6) return parseIpv6Addr(text);
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, parseIpv4Addr(text));
  return bytes;
}
