/** The objects of test/objects, as bytes. */
import { readFileSync } from 'node:fs';

export const objectBytes = (name: string): Uint8Array =>
  new Uint8Array(readFileSync(new URL(`../../objects/${name}.o`, import.meta.url)));
