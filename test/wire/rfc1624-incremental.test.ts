import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { csumFold, csumPartial, csumReplace2, csumReplace4 } from '../../src/wire/checksum.ts';
import { exactView } from './bytes.ts';

const u16 = fc.integer({ min: 0, max: 0xffff });
const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
// A header is never all zeros, which is what keeps the two forms of zero apart: byte 0 is 0x45.
const header = fc
  .uint8Array({ minLength: 19, maxLength: 19 })
  .map((b) => Uint8Array.of(0x45, ...b));

const fullSum = (view: DataView): number => csumFold(csumPartial(view, 0, view.byteLength, 0));

test('RFC 1624 §4: equation 3 gives 0000 where equation 2 would give ffff', () => {
  expect(csumReplace2(0xdd2f, 0x5555, 0x3285)).toBe(0x0000);
});

test('an unchanged word leaves the checksum as it is', () => {
  expect(csumReplace2(0x1376, 0x4006, 0x4006)).toBe(0x1376);
});

test('changing a 16-bit word incrementally equals summing afresh', () => {
  fc.assert(
    fc.property(header, fc.integer({ min: 1, max: 9 }), u16, (bytes, word, to) => {
      const view = exactView(bytes);
      const before = fullSum(view);
      const from = view.getUint16(word * 2);
      view.setUint16(word * 2, to);
      expect(csumReplace2(before, from, to)).toBe(fullSum(view));
    }),
  );
});

test('changing a 32-bit field incrementally equals summing afresh', () => {
  fc.assert(
    fc.property(header, fc.integer({ min: 1, max: 8 }), u32, (bytes, word, to) => {
      const view = exactView(bytes);
      const before = fullSum(view);
      const from = view.getUint32(word * 2);
      view.setUint32(word * 2, to);
      expect(csumReplace4(before, from, to)).toBe(fullSum(view));
    }),
  );
});
