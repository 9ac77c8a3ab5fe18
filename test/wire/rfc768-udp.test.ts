import { expect, test } from 'vitest';
import {
  setUdpCheck,
  setUdpDstPort,
  setUdpLen,
  setUdpSrcPort,
  udpCheck,
  udpDstPort,
  udpLen,
  udpSrcPort,
} from '../../src/wire/udp.ts';
import { hex, toHex } from './bytes.ts';
import { qinqUdp } from './realFrames.ts';

test('the fields of a real header lie where RFC 768 puts them', () => {
  const view = qinqUdp();
  const udp = 22 + 20;
  expect([udpSrcPort(view, udp), udpDstPort(view, udp)]).toEqual([47808, 47808]);
  expect([udpLen(view, udp), udpCheck(view, udp)]).toEqual([26, 0xb9da]);
});

test('writers fill exactly their fields', () => {
  const view = hex('ee'.repeat(10));
  setUdpSrcPort(view, 1, 0x0102);
  setUdpDstPort(view, 1, 0x8304);
  setUdpLen(view, 1, 0x0506);
  setUdpCheck(view, 1, 0xf708);
  expect(toHex(view)).toBe('ee010283040506f708ee');
});
