import { expect, test } from 'vitest';
import {
  isVlanTpid,
  makeTci,
  setVlanTag,
  tciDei,
  tciPcp,
  tciVid,
  VLAN_HLEN,
  VLAN_OFFSET,
  vlanNextType,
  vlanTci,
  vlanTpid,
} from '../../src/wire/vlan.ts';
import { ETH_P_8021AD, ETH_P_8021Q } from '../../src/wire/eth.ts';
import { hex, toHex } from './bytes.ts';
import { qinqArp } from './realFrames.ts';

test('802.1ad: the service tag comes first, the customer tag after it', () => {
  const view = qinqArp();
  const inner = VLAN_OFFSET + VLAN_HLEN;
  expect([vlanTpid(view, VLAN_OFFSET), tciVid(vlanTci(view, VLAN_OFFSET))]).toEqual([0x88a8, 200]);
  expect([vlanTpid(view, inner), tciVid(vlanTci(view, inner))]).toEqual([0x8100, 2001]);
  expect(vlanNextType(view, inner)).toBe(0x0806);
});

test('802.1Q §9.6: a TCI is PCP, DEI and VID from the highest bit down', () => {
  expect(makeTci(5, true, 0xabc)).toBe(0xbabc);
  expect([tciPcp(0xbabc), tciDei(0xbabc), tciVid(0xbabc)]).toEqual([5, true, 0xabc]);
  expect([tciPcp(0x2001), tciDei(0x2001), tciVid(0x2001)]).toEqual([1, false, 1]);
});

test('only the two tag types of 802.1Q announce a tag', () => {
  expect([ETH_P_8021Q, ETH_P_8021AD].every(isVlanTpid)).toBe(true);
  expect([0x0800, 0x86dd, 0x9100, 0x8847].some(isVlanTpid)).toBe(false);
});

test('a written tag is four bytes', () => {
  const view = hex('ee'.repeat(6));
  setVlanTag(view, 1, 0x88a8, 0x7123);
  expect(toHex(view)).toBe('ee88a87123ee');
});
