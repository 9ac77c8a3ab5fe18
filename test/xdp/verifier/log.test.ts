/** The verifier's log against a plain string that is cut the same way; and the bound of its memory. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { MAX_LOG_CHARS, VerifierLog } from '../../../src/xdp/verifier/log.ts';

it('is what was written, cut back wherever a path began', () => {
  const step = fc.record({ bytes: fc.integer({ min: 0, max: 300_000 }), back: fc.nat(400_000) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const log = new VerifierLog(2);
      let plain = '';
      steps.forEach(({ bytes, back }, i) => {
        const line = String.fromCharCode(97 + (i % 26)).repeat(bytes);
        log.write(line);
        plain += line;
        if (back >= 200_000) return;
        const end = Math.max(0, plain.length - back);
        log.cutTo(end);
        plain = plain.slice(0, end);
      });
      expect(log.end).toBe(plain.length);
      expect(log.text === plain).toBe(true);
    }),
    { numRuns: 50 },
  );
});

it('keeps the end of a log that grows too long, and can be cut into what was forgotten', () => {
  const log = new VerifierLog(1);
  const line = `${'x'.repeat(99_999)}\n`;
  const lines = Math.ceil((2 * MAX_LOG_CHARS) / line.length);
  for (let n = 0; n < lines; n++) log.write(line);
  log.write('the end\n');
  expect(log.end).toBe(lines * line.length + 8);
  expect(log.text.length).toBeLessThan(MAX_LOG_CHARS + (1 << 20));
  expect(log.text.slice(-10)).toBe('x\nthe end\n');
  log.cutTo(5);
  expect([log.end, log.text]).toEqual([5, '']);
  log.write('again');
  expect([log.end, log.text]).toEqual([10, 'again']);
});
