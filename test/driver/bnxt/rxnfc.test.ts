/** Steering: where packets go under another key, table, field set, or by a rule. */
import { describe, expect, test } from 'vitest';
import { STANDARD_HASH_KEY } from '../../../src/nic/rss.ts';
import { bnxtSetRxfh, bnxtSrxclsrlins, bnxtSrxfh } from '../../../src/driver/bnxt/rxnfc.ts';
import { XDP_PASS } from '../../../src/xdp/uapi.ts';
import { NOTHING, Rig, udpFrame, verdicts } from './rig.ts';

/** The verification suite's first row: 161.142.100.80:1766 from 66.9.149.187:2794. */
const SUITE = udpFrame(100, {
  net: {
    kind: 'ipv4',
    src: 0x42_09_95_bb,
    dst: 0xa1_8e_64_50,
    body: { kind: 'udp', srcPort: 2794, dstPort: 1766 },
  },
});
/** Hash with ports and with addresses alone, as the suite gives them. */
const WITH_PORTS = 0x51ccc178;
const ADDRESSES = 0x323e8fc2;

const rig = (): Rig => new Rig({ queues: 4, xdp: [verdicts(XDP_PASS)] });

/** The queue and hash that one frame gets. */
function way(of: Rig, frame = SUITE): { queue: number; hash: number } {
  const seen = of.tap();
  of.arrive([frame]);
  of.run();
  const [skb] = seen.slice(-1);
  return { queue: skb!.queueMapping - 1, hash: skb!.hash >>> 0 };
}

describe('key and fields', () => {
  test('the key of the verification suite gives its hash', () => {
    const r = rig();
    bnxtSetRxfh(r.bp(), STANDARD_HASH_KEY, undefined);
    expect(way(r)).toEqual({ queue: (WITH_PORTS & 127) % 4, hash: WITH_PORTS });
  });

  test('without its ports a flow has the hash of its addresses', () => {
    const r = rig();
    bnxtSetRxfh(r.bp(), STANDARD_HASH_KEY, undefined);
    bnxtSrxfh(r.bp(), 'udp4', false);
    expect(way(r).hash).toBe(ADDRESSES);
    bnxtSrxfh(r.bp(), 'udp4', true);
    expect(way(r).hash).toBe(WITH_PORTS);
    expect(r.leftOver()).toEqual(NOTHING);
  });

  test('a key of another length is refused', () => {
    expect(() => bnxtSetRxfh(rig().bp(), new Uint8Array(39), undefined)).toThrow('39 bytes');
  });
});

describe('the indirection table', () => {
  test('is repeated until it is full, and sends the flow where it says', () => {
    const r = rig();
    bnxtSetRxfh(r.bp(), STANDARD_HASH_KEY, [3, 1, 2]);
    expect([...r.bp().rssIndirTbl.slice(0, 5)]).toEqual([3, 1, 2, 3, 1]);
    expect(way(r).queue).toBe([3, 1, 2][(WITH_PORTS & 127) % 3]);
  });

  test('names rings that there are', () => {
    expect(() => bnxtSetRxfh(rig().bp(), undefined, [0, 4])).toThrow('4');
    expect(() => bnxtSetRxfh(rig().bp(), undefined, [])).toThrow('0');
  });
});

describe('a rule', () => {
  const rule = { ethertype: 0x0800, ipProtocol: 17, dstPort: 1766 } as const;

  test('beats RSS, at once and after the device was closed and opened', () => {
    const r = rig();
    const other = (way(r).queue + 1) % 4;
    bnxtSrxclsrlins(r.bp(), { ...rule, dst: other });
    expect(way(r).queue).toBe(other);
    r.machine.attachXdp(0, verdicts(XDP_PASS));
    expect(way(r).queue).toBe(other);
    expect(r.leftOver()).toEqual(NOTHING);
  });

  test('may drop, and the loss has its cause', () => {
    const r = rig();
    bnxtSrxclsrlins(r.bp(), { ...rule, dst: -1 });
    r.arrive([SUITE, udpFrame(100)]);
    r.run();
    expect(r.lost()).toEqual({ ntupleDrop: 1 });
  });

  test('leads to a ring that there is', () => {
    expect(() => bnxtSrxclsrlins(rig().bp(), { ...rule, dst: 4 })).toThrow('-1 to 3');
  });

  test('matches what no other does, wherever the others lead', () => {
    const r = rig();
    bnxtSrxclsrlins(r.bp(), { ...rule, dst: 1 });
    bnxtSrxclsrlins(r.bp(), { ...rule, dstPort: 1767, dst: 1 });
    expect(() => bnxtSrxclsrlins(r.bp(), { dst: 2, ...rule })).toThrow('no other rule has');
    expect(r.bp().usrFltrs).toHaveLength(2);
  });
});
