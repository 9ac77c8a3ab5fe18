/** The eBPF objects that lie beside their sources: both belong together, and the record to both. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { ENGINE_NAMES } from '../../src/xdp/engines.ts';
import { XDP_DROP, XDP_PASS } from '../../src/xdp/uapi.ts';
import { askOurs } from '../oracle/askOurs.ts';
import { OBJECT_CASES } from '../oracle/objectCases.ts';
import { objectPackets } from '../oracle/objectPackets.ts';
import { inputHash, readRecord, recordOf } from '../oracle/objectRecord.ts';
import { askKernel, kernelRelease, whyNoKernel } from '../oracle/objrun.ts';

const TOP = fileURLToPath(new URL('../../', import.meta.url));
const FOLDERS = ['examples/bpf', 'test/bpf', 'test/bpf/refused', 'bench/bpf'];

interface Manifest {
  readonly compiler: string;
  readonly files: Readonly<Record<string, string>>;
}

const read = (folder: string, name: string): Buffer => readFileSync(join(TOP, folder, name));
const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
const manifest = (folder: string): Manifest =>
  JSON.parse(read(folder, 'objects.json').toString()) as Manifest;

/** The compiler that made the objects, or null where it is not installed. */
function sameClang({ compiler }: Manifest): string | null {
  const name = `clang-${/version (\d+)/.exec(compiler)?.[1]}`;
  try {
    return execFileSync(name, ['--version'], { encoding: 'utf8' }).startsWith(compiler)
      ? name
      : null;
  } catch {
    return null;
  }
}

describe.each(FOLDERS)('%s', (folder) => {
  test('every source has an object, and neither was changed without the other', () => {
    const names = readdirSync(join(TOP, folder)).filter((name) => /\.[cho]$/.test(name));
    const hashes = names.toSorted().map((name) => [name, sha256(read(folder, name))]);
    expect(Object.fromEntries(hashes)).toEqual(manifest(folder).files);
  });

  const clang = sameClang(manifest(folder));
  test.skipIf(clang === null || whyNoKernel() !== null)('rebuilding gives the same bytes', () => {
    const dir = mkdtempSync(join(tmpdir(), 'ringscope-bpf-'));
    for (const name of FOLDERS) cpSync(join(TOP, name), join(dir, name), { recursive: true });
    cpSync(join(TOP, 'scripts'), join(dir, 'scripts'), { recursive: true });
    execFileSync(join(dir, 'scripts/build-bpf.sh'), [clang!]);
    const { files } = manifest(folder);
    for (const name of Object.keys(files).filter((file) => file.endsWith('.o')))
      expect([name, sha256(readFileSync(join(dir, folder, name)))]).toEqual([name, files[name]]);
  });
});

const packets = objectPackets();
const exact = OBJECT_CASES.filter((c) => c.property === undefined);

describe('the record of what a kernel answered', () => {
  test.each(OBJECT_CASES)('$object $prog: is about this object and these packets', (c) => {
    expect(readRecord(c).input).toBe(inputHash(c, packets));
  });

  const why = whyNoKernel();
  test.skipIf(why !== null)(
    `the running kernel still answers so (${why ?? kernelRelease()})`,
    () => {
      for (const c of exact) {
        const kept = readRecord(c);
        expect(recordOf(c, askKernel(c, packets), kept.kernel, kept.input)).toEqual(kept);
      }
    },
  );
});

describe.each(ENGINE_NAMES)('%s, on 1,155 packets each', (engine) => {
  test.each(exact)('$object $prog: verdicts, bytes, records and maps as Linux has them', (c) => {
    const kept = readRecord(c);
    expect(recordOf(c, askOurs(c, packets, engine), kept.kernel, kept.input)).toEqual(kept);
  });

  test('rate_limiter: on a clock that stands still a bucket holds 32 tokens', () => {
    const c = OBJECT_CASES.find(({ prog }) => prog === 'rate_limiter')!;
    const packet = packets.find(isIpv4)!;
    const same = Array.from({ length: 40 }, () => packet);
    const verdicts = askOurs(c, same, engine).runs.map(({ retval }) => retval);
    expect(verdicts).toEqual(same.map((_, i) => (i < 32 ? XDP_PASS : XDP_DROP)));
  });

  test('identity: time goes on, random numbers differ, CPU and interface are the first', () => {
    const c = OBJECT_CASES.find(({ prog }) => prog === 'identity')!;
    const { elems } = askOurs(c, packets, engine);
    const out = elems
      .filter(({ map }) => map === 'out')
      .map(({ value }) => Number(littleEndian(value)));
    expect(out.slice(0, 6)).toEqual([1, 1, 1, 1, 0, 1]);
    expect(out[6]).toBeGreaterThan(475); // of 1,155 coins
    expect(out[6]).toBeLessThan(680);
    expect(out.slice(7, 9)).toEqual([1, 0]);
  });
});

const isIpv4 = (packet: Uint8Array): boolean =>
  packet.length >= 34 && packet[12] === 8 && packet[13] === 0;
const littleEndian = (hex: string): bigint => Buffer.from(hex, 'hex').readBigUInt64LE();
