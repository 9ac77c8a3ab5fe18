/**
 * Answers about real objects, short enough to keep: per packet the verdict and 24 bits of a hash
 * over its bytes and records, then the number of elements, the first of them, and a hash over all.
 *
 * The record tells that something differs; where the kernel is at hand, `askKernel` tells what.
 */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import type { ObjectCase } from './objectCases.ts';
import type { Elem, ObjectAnswers } from './objrun.ts';

export interface ObjectRecord {
  /** Release of the kernel that answered. */
  readonly kernel: string;
  /** Hash of the object and the packets: other ones need another record. */
  readonly input: string;
  readonly retvals: string;
  /** Base64 of 3 bytes a packet. */
  readonly outs: string;
  readonly elems: number;
  readonly firstElems: readonly string[];
  readonly elemsHash: string;
}

const FIRST = 12;
const url = (c: ObjectCase): URL => new URL(`../vectors/objects/${c.prog}.json`, import.meta.url);
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** A map's name as every loader agrees on it: sections of global data by what follows the dot. */
const mapName = (name: string): string => name.slice(Math.max(name.indexOf('.'), 0));
const elemText = ({ map, key, value }: Elem): string => `${mapName(map)} ${key} ${value}`;

const compared = (c: ObjectCase, event: string): string => {
  const [from, to] = c.eventBytes ?? [0, event.length];
  return event.slice(2 * from, 2 * to);
};

export function inputHash(c: ObjectCase, packets: readonly Uint8Array[]): string {
  const hash = createHash('sha256').update(
    readFileSync(new URL(`../../${c.object}`, import.meta.url)),
  );
  hash.update(JSON.stringify(c.setup ?? []));
  for (const packet of packets) hash.update(packet);
  return hash.digest('hex').slice(0, 16);
}

export function recordOf(
  c: ObjectCase,
  answers: ObjectAnswers,
  kernel: string,
  input: string,
): ObjectRecord {
  const outs = answers.runs.map(({ out, events }) =>
    sha256([out, ...events.map((event) => compared(c, event))].join(' ')).slice(0, 6),
  );
  const elems = answers.elems.map(elemText).toSorted();
  return {
    kernel,
    input,
    retvals: answers.runs.map(({ retval }) => retval).join(' '),
    outs: Buffer.from(outs.join(''), 'hex').toString('base64'),
    elems: elems.length,
    firstElems: elems.slice(0, FIRST),
    elemsHash: sha256(elems.join('\n')),
  };
}

export const readRecord = (c: ObjectCase): ObjectRecord =>
  JSON.parse(readFileSync(url(c), 'utf8')) as ObjectRecord;

export function writeRecord(c: ObjectCase, record: ObjectRecord): void {
  writeFileSync(url(c), `${JSON.stringify(record, null, 2)}\n`);
}
