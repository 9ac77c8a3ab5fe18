/**
 * Ask the running kernel about every case of `objectCases.ts` and keep its answers:
 *
 *   npx tsx test/oracle/recordObjects.ts        as root, with libbpf-dev and a C compiler
 */
import { mkdirSync } from 'node:fs';
import { OBJECT_CASES } from './objectCases.ts';
import { objectPackets } from './objectPackets.ts';
import { inputHash, recordOf, writeRecord } from './objectRecord.ts';
import { askKernel, kernelRelease, whyNoKernel } from './objrun.ts';

const why = whyNoKernel();
if (why !== null) throw new Error(`the kernel cannot be asked: ${why}`);
mkdirSync(new URL('../vectors/objects', import.meta.url), { recursive: true });
const packets = objectPackets();
for (const c of OBJECT_CASES) {
  const record = recordOf(c, askKernel(c, packets), kernelRelease(), inputHash(c, packets));
  writeRecord(c, record);
  process.stdout.write(`${c.prog.padEnd(20)} ${record.elems} elements\n`);
}
