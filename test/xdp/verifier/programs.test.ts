/**
 * Programs in C, from small to the size of a load balancer, for three instruction sets: verdict, error
 * and work as Linux 6.18 gave them. `bad_` in front of a name: meant to be refused.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { ProgramVectors } from '../../oracle/verifierPrograms.ts';
import { ourVerdicts, programObjects } from '../../oracle/verifierPrograms.ts';

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8');
const { objects } = JSON.parse(read('../../vectors/verifier/programs.json')) as ProgramVectors;

/** How far the number of instructions walked may be from Linux's. */
const MOST = 1.5;

describe('programs in C', () => {
  it.each(programObjects())('%s', (object) => {
    const ours = ourVerdicts(object);
    const linux = objects[object]!;
    expect(Object.keys(ours).toSorted()).toEqual(Object.keys(linux).toSorted());
    for (const [name, { errno, error, processed }] of Object.entries(linux)) {
      expect(ours[name]!.errno !== 0, name).toBe(errno !== 0);
      expect(ours[name]!.error, name).toBe(error);
      expect(ours[name]!.processed, name).toBeLessThanOrEqual(processed * MOST);
      expect(ours[name]!.processed, name).toBeGreaterThanOrEqual(processed / MOST);
    }
  });

  it('what is called bad is what Linux refuses', () => {
    const all = Object.values(objects).flatMap((programs) => Object.entries(programs));
    const unlike = all.filter(([name, { errno }]) => name.startsWith('bad_') !== (errno !== 0));
    expect(unlike).toEqual([]);
    expect(new Set(all.map(([name]) => name)).size).toBeGreaterThan(100);
  });

  it('objects are of these sources', () => {
    const { files } = JSON.parse(read('../../bpf/verifier/objects.json')) as {
      files: Record<string, string>;
    };
    for (const [file, hash] of Object.entries(files)) {
      const bytes = readFileSync(new URL(`../../bpf/verifier/${file}`, import.meta.url));
      expect(createHash('sha256').update(bytes).digest('hex'), file).toBe(hash);
    }
  });
});
