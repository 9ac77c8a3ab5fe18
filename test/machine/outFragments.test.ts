/** Replies longer than the MTU leave in fragments. */
import { expect, test } from 'vitest';
import { BALANCED, InetRig, app, frame4, frame6, udpTo } from './inetRig.ts';

const server = (replyBytes: number): object => ({
  apps: [app({ kind: 'server', udp: 7, replyBytes })],
});

interface Piece {
  readonly id: number;
  readonly offset: number;
  readonly more: boolean;
  readonly data: Uint8Array;
}

const piece4 = (frame: Uint8Array): Piece => {
  const view = new DataView(frame.buffer, frame.byteOffset);
  const word = view.getUint16(20);
  expect(word & 0x4000).toBe(0); // no Don't Fragment
  return {
    id: view.getUint16(18),
    offset: (word & 0x1fff) * 8,
    more: (word & 0x2000) !== 0,
    data: frame.slice(34, 14 + view.getUint16(16)),
  };
};

const piece6 = (frame: Uint8Array): Piece => {
  const view = new DataView(frame.buffer, frame.byteOffset);
  expect([frame[20], frame[54]]).toEqual([44, 17]);
  const word = view.getUint16(56);
  return {
    id: view.getUint32(58),
    offset: word & 0xfff8,
    more: (word & 1) !== 0,
    data: frame.slice(62, 54 + view.getUint16(18)),
  };
};

/** Pieces in their order, each but the last as long as 1500 bytes allow. */
function joined(pieces: readonly Piece[], room: number): Uint8Array {
  expect(new Set(pieces.map(({ id }) => id)).size).toBe(1);
  expect(pieces.map(({ offset }) => offset)).toEqual(pieces.map((_, i) => i * room));
  expect(pieces.map(({ more }) => more)).toEqual(pieces.map((_, i) => i < pieces.length - 1));
  return Buffer.concat(pieces.map(({ data }) => data));
}

test('over IPv4: 1480 bytes a piece, and the counters of /proc/net/snmp', () => {
  const rig = new InetRig([frame4(udpTo(7))], server(4000)).run();
  const whole = joined(
    rig.sent.map(({ bytes }) => piece4(bytes)),
    1480,
  );
  expect(whole.length).toBe(4008);
  expect(new DataView(whole.buffer, whole.byteOffset).getUint16(4)).toBe(4008);
  expect(rig.snmp['Ip']).toMatchObject({
    ...{ OutRequests: 1, FragOKs: 1, FragCreates: 3, FragFails: 0, OutTransmits: 3 },
  });
  expect(rig.machine.result().sockets[0]).toMatchObject({ sent: 1, sendErrors: 0 });
  expect(rig.books).toEqual(BALANCED);
});

test('over IPv6: 1448 bytes a piece behind a fragment header', () => {
  const rig = new InetRig([frame6(udpTo(7))], server(4000)).run();
  const whole = joined(
    rig.sent.map(({ bytes }) => piece6(bytes)),
    1448,
  );
  expect(whole.length).toBe(4008);
  expect(rig.snmp['Ip6']).toMatchObject({
    ...{ OutRequests: 1, FragOKs: 1, FragCreates: 3, FragFails: 0, OutTransmits: 3 },
  });
  expect(rig.books).toEqual(BALANCED);
});

test('the longest that fits one frame is not cut', () => {
  const rig = new InetRig([frame4(udpTo(7))], server(1472)).run();
  expect(rig.sent.map(({ bytes }) => bytes.length)).toEqual([1514]);
  expect(rig.sent[0]!.bytes[20]).toBe(0x40); // Don't Fragment
});

test('an echo of the longest message that fragments can carry', () => {
  const payload = new Uint8Array(65_507).map((_, i) => i * 5);
  const request = frame4({ kind: 'echo', payload }, {}, {});
  const pieces: Uint8Array[] = [];
  for (let at = 34; at < request.length; at += 1480) {
    const data = request.slice(at, at + 1480);
    const more = at + 1480 < request.length;
    pieces.push(
      frame4(
        { kind: 'bytes', proto: 1, payload: data },
        { id: 9, fragOffsetBytes: at - 34, moreFragments: more },
      ),
    );
  }
  const rig = new InetRig(pieces).run();
  const whole = joined(
    rig.sent.map(({ bytes }) => piece4(bytes)),
    1480,
  );
  expect([whole[0], whole.length]).toEqual([0, 65_515]);
  expect(Buffer.compare(whole.subarray(8), payload)).toBe(0);
  expect(rig.books).toEqual(BALANCED);
});

test('without memory for a piece nothing is lost in silence', () => {
  const rig = new InetRig([frame4(udpTo(7))], server(4000));
  // the request's skb, the reply, its first piece, and then no more
  rig.machine.faults.arm('skbAlloc', 3);
  rig.run();
  expect(rig.snmp['Ip']).toMatchObject({ FragFails: 1, OutDiscards: 1, FragOKs: 0 });
  expect(rig.machine.result().sockets[0]!.sendErrors).toBe(1);
  expect(rig.books).toEqual(BALANCED);
});
