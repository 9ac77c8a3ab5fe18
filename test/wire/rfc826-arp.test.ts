import { expect, test } from 'vitest';
import {
  ARP_LEN,
  arpIsEthIpv4,
  arpOp,
  ARPOP_REPLY,
  arpSenderIp,
  arpSenderMacHi16,
  arpSenderMacLo32,
  arpTargetIp,
  arpTargetMacHi16,
  arpTargetMacLo32,
  setArpOp,
  setArpSender,
  setArpTarget,
} from '../../src/wire/arp.ts';
import { ETH_HLEN, formatMac } from '../../src/wire/eth.ts';
import { formatIpv4 } from '../../src/wire/ipv4.ts';
import { hex, toHex } from './bytes.ts';
import { arpReply } from './realFrames.ts';

test('a real reply says who has which address', () => {
  const view = arpReply();
  const at = ETH_HLEN;
  expect(arpIsEthIpv4(view, at)).toBe(true);
  expect(arpOp(view, at)).toBe(ARPOP_REPLY);
  const sender = formatMac(arpSenderMacHi16(view, at), arpSenderMacLo32(view, at));
  const target = formatMac(arpTargetMacHi16(view, at), arpTargetMacLo32(view, at));
  expect([sender, formatIpv4(arpSenderIp(view, at))]).toEqual(['f8:ed:a5:c0:a4:f1', '10.0.0.1']);
  expect([target, formatIpv4(arpTargetIp(view, at))]).toEqual(['78:31:c1:c6:3f:c2', '10.0.0.2']);
});

test('writing the same facts gives the same bytes', () => {
  const real = toHex(arpReply()).slice(2 * ETH_HLEN, 2 * (ETH_HLEN + ARP_LEN));
  const view = hex('ee'.repeat(ARP_LEN));
  setArpOp(view, 0, 2);
  setArpSender(view, 0, 0xf8ed, 0xa5c0a4f1, 0x0a000001);
  setArpTarget(view, 0, 0x7831, 0xc1c63fc2, 0x0a000002);
  expect(toHex(view)).toBe(real);
});

test.each([0, 2, 4, 5])('ARP with another byte %i is not for Ethernet and IPv4', (offset) => {
  const view = arpReply();
  view.setUint8(ETH_HLEN + offset, 0x66);
  expect(arpIsEthIpv4(view, ETH_HLEN)).toBe(false);
});
