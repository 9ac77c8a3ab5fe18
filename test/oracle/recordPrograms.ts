/**
 * Ask the running kernel about every program of test/bpf/verifier and keep its verdicts:
 *
 *   npx tsx test/oracle/recordPrograms.ts        as root, with a C compiler and libbpf
 */
import { writeFileSync } from 'node:fs';
import { recordPrograms } from './verifierPrograms.ts';

const vectors = recordPrograms();
const file = new URL('../vectors/verifier/programs.json', import.meta.url);
writeFileSync(file, `${JSON.stringify(vectors, null, 1)}\n`);
const count = Object.values(vectors.objects).flatMap((programs) => Object.keys(programs)).length;
process.stdout.write(`${count} programs, Linux ${vectors.kernel}\n`);
