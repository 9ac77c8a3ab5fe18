import { readFileSync } from 'node:fs';
import { buildFrame, LoneProgram, objectXdp, parseIpv4Addr, parseMac } from 'ringscope';
import { chooseProgram, readObject, setVariable, XDP_DROP, XDP_PASS } from 'ringscope';
import type { CollectionSpec } from 'ringscope';
import { run } from 'ringscope/vitest';
import { expect, test } from 'vitest';

const FILE = 'examples/bpf/rate_limiter.o';
const limiter = (burst: number): CollectionSpec => {
  const spec = readObject(FILE, readFileSync(FILE));
  setVariable(spec, 'burst', burst); // const volatile in C
  spec.maps['buckets']!.maxEntries = 100;
  return spec;
};
const frame = buildFrame({
  dst: parseMac('02:00:00:00:00:01'),
  src: parseMac('02:00:00:00:00:aa'),
  net: {
    kind: 'ipv4',
    src: parseIpv4Addr('192.0.2.1'),
    dst: parseIpv4Addr('10.0.0.1'),
    body: { kind: 'udp', srcPort: 40_000, dstPort: 9 },
  },
});

test('two packets, then one a millisecond', () => {
  const program = new LoneProgram(limiter(2));
  const verdicts = (n: number): number[] => Array.from({ length: n }, () => program.run(frame));
  expect(verdicts(3)).toEqual([XDP_PASS, XDP_PASS, XDP_DROP]);
  program.advance(1e6); // virtual nanoseconds
  expect(verdicts(2)).toEqual([XDP_PASS, XDP_DROP]);
  const bucket = program.map('buckets').get(parseIpv4Addr('192.0.2.1'));
  expect(bucket).toEqual({ tokens_ns: 0, seen_ns: 1_000_000 });
});

test('line by line', () => {
  const walk = new LoneProgram(limiter(2)).steps(frame);
  const lines = new Set<string>();
  walk.onInsn((at) => lines.add(at.source()!.text.trim())); // also at.reg(1), at.stack()
  expect(walk.finish()).toBe(XDP_PASS);
  expect(lines).toContain('bpf_map_update_elem(&buckets, &source, &fresh, BPF_ANY);');
  expect(lines).not.toContain('if (credit < cost) {');
});

test('in the driver', async () => {
  const spec = limiter(5);
  const xdp = objectXdp(spec, chooseProgram(spec, {}));
  const { report } = await run({ xdp, traffic: 'udp flows=1 rate=1Mpps', count: 1000 });
  expect(report).toHaveVerdicts({ xdpPass: 5, xdpDrop: 995 });
});
