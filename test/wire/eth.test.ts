import { describe, expect, test } from 'vitest';
import { AddressError } from '../../src/wire/addressError.ts';
import {
  ETH_P_ARP,
  ethDstHi16,
  ethDstLo32,
  ethSrcHi16,
  ethSrcLo32,
  ethSwapMacs,
  ethType,
  formatMac,
  macEqual,
  macHi16,
  macIsBroadcast,
  macIsMulticast,
  macLo32,
  parseMac,
  setEthDst,
  setEthSrc,
  setEthType,
} from '../../src/wire/eth.ts';
import { hex, toHex } from './bytes.ts';
import { arpReply } from './realFrames.ts';

describe('IEEE 802.3 header', () => {
  test('the fields of a real frame lie where the standard puts them', () => {
    const view = arpReply();
    expect(formatMac(ethDstHi16(view, 0), ethDstLo32(view, 0))).toBe('78:31:c1:c6:3f:c2');
    expect(formatMac(ethSrcHi16(view, 0), ethSrcLo32(view, 0))).toBe('f8:ed:a5:c0:a4:f1');
    expect(ethType(view, 0)).toBe(ETH_P_ARP);
  });

  test('writers fill exactly their fields', () => {
    const view = hex('ff'.repeat(16));
    setEthDst(view, 1, 0x0102, 0x83040506);
    setEthSrc(view, 1, 0x1112, 0xf3141516);
    setEthType(view, 1, 0x86dd);
    expect(toHex(view)).toBe('ff0102830405061112f314151686ddff');
  });

  test('swapping exchanges the addresses and nothing else', () => {
    const view = hex('010203040506 111213141516 0800 ee');
    ethSwapMacs(view, 0);
    expect(toHex(view)).toBe('1112131415160102030405060800ee');
  });

  test('addresses compare over all six bytes', () => {
    for (let i = 0; i < 6; i++) {
      const view = hex('020000000001 020000000001');
      expect(macEqual(view, 0, 6)).toBe(true);
      view.setUint8(6 + i, 0x77);
      expect(macEqual(view, 0, 6)).toBe(false);
    }
  });

  test('the group bit is the lowest of the first octet', () => {
    const view = hex('0100 5e00 0001 fe00 0000 0000');
    expect(macIsMulticast(macHi16(view, 0))).toBe(true);
    expect(macIsMulticast(macHi16(view, 6))).toBe(false);
    expect(macIsBroadcast(0xffff, 0xffff_ffff)).toBe(true);
    expect(macIsBroadcast(0xffff, 0xffff_fffe)).toBe(false);
  });
});

describe('MAC addresses as text', () => {
  test('what is written is read back', () => {
    const mac = parseMac('02:AB:00:00:00:0f');
    expect(mac).toEqual({ hi16: 0x02ab, lo32: 0x0f });
    expect(formatMac(mac.hi16, mac.lo32)).toBe('02:ab:00:00:00:0f');
    expect(parseMac('f2-00-ff-ff-ff-ff')).toEqual({ hi16: 0xf200, lo32: 0xffff_ffff });
    expect(macLo32(hex('f200ffffffff'), 0)).toBe(0xffff_ffff);
  });

  test.each(['', '02:00:00:00:00', '02:00:00:00:00:1', '02:00-00:00:00:01', 'gg:00:00:00:00:01'])(
    '%j is refused, and the message shows it',
    (text) => {
      expect(() => parseMac(text)).toThrow(AddressError);
      expect(() => parseMac(text)).toThrow(JSON.stringify(text));
    },
  );
});
