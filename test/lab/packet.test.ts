import { describe, expect, test } from 'vitest';
import echo from '../../examples/echo.ts';
import redirect from '../../examples/redirect.ts';
import { packet } from '../../src/lab/packet.ts';
import { defineXdp } from '../../src/xdp/define.ts';
import { XDP_DROP, XDP_PASS, XDP_TX } from '../../src/xdp/uapi.ts';

/** Bytes 0, 1, 2, …: their place in the frame is their value. */
const counting = (len: number): Uint8Array => Uint8Array.from({ length: len }, (_, i) => i);

test('a dropped frame goes nowhere', () => {
  const drop = defineXdp(() => XDP_DROP);
  expect(packet(drop, counting(60))).toEqual({
    verdict: 'XDP_DROP',
    retval: 1,
    bytes: counting(60),
    meta: new Uint8Array(0),
    sent: [],
    toStack: null,
    lost: {},
  });
});

test('a frame passed reaches the stack as the program left it', () => {
  const shorter = defineXdp((ctx) => {
    ctx.adjustHead(4);
    ctx.adjustTail(-6);
    return XDP_PASS;
  });
  const result = packet(shorter, counting(70));
  expect(result.toStack).toEqual(counting(64).slice(4));
  expect(result.bytes).toEqual(result.toStack);
});

test('metadata is what stands in front of the packet', () => {
  const marked = defineXdp((ctx) => {
    ctx.adjustMeta(-8);
    ctx.setMetaU32(0, 0x04030201);
    ctx.setMetaU32(4, 0x08070605);
    return XDP_DROP;
  });
  expect(packet(marked, counting(60)).meta).toEqual(Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8));
});

test('XDP_TX leaves by the NIC the frame came to', () => {
  const { sent, verdict } = packet(echo, counting(61));
  expect(verdict).toBe('XDP_TX');
  const swapped = [6, 7, 8, 9, 10, 11, 0, 1, 2, 3, 4, 5];
  expect(sent).toEqual([{ nic: 0, bytes: Uint8Array.of(...swapped, ...counting(61).slice(12)) }]);
});

test('a redirect leaves by the other NIC, and is lost where that has no program', () => {
  expect(packet(redirect, counting(60)).sent).toEqual([{ nic: 1, bytes: counting(60) }]);
  const refused = packet(redirect, counting(60), { peer: null });
  expect([refused.verdict, refused.sent]).toEqual(['XDP_REDIRECT', []]);
  expect(refused.lost).toEqual({ redirectFailed: 1 });
});

test('an unknown verdict is named by its number', () => {
  const seven = packet(
    defineXdp(() => 7),
    counting(60),
  );
  expect(seven).toMatchObject({ verdict: 'unknown (7)', retval: 7, lost: { invalidVerdict: 1 } });
});

test('the seed decides what a program draws', () => {
  const draws = defineXdp((ctx) => {
    ctx.setU32(0, ctx.random());
    return XDP_TX;
  });
  const first = packet(draws, counting(60)).bytes;
  expect(packet(draws, counting(60)).bytes).toEqual(first);
  expect(packet(draws, counting(60), { seed: 2 }).bytes).not.toEqual(first);
});

describe('refused', () => {
  const pass = defineXdp(() => XDP_PASS);

  test('a frame that no NIC takes', () => {
    expect(packet(pass, counting(14)).verdict).toBe('XDP_PASS');
    expect(() => packet(pass, counting(13))).toThrow(/13 bytes never reaches.*rxRunt/);
    expect(packet(pass, new Uint8Array(1518)).verdict).toBe('XDP_PASS');
    expect(() => packet(pass, new Uint8Array(1519))).toThrow(/1519 bytes.*rxOversize/);
    expect(packet(pass, new Uint8Array(1519), { mtu: 1501 }).verdict).toBe('XDP_PASS');
  });

  test('a program that reads past its packet, by name and packet number', () => {
    const beyond = defineXdp((ctx) => ctx.u8(60), { name: 'beyond' });
    expect(() => packet(beyond, counting(60))).toThrow(
      /^program beyond, packet 1 .*offset 60 of a 60-byte packet$/,
    );
  });
});
