import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { CaptureFile } from '../../src/wire/capturedFrame.ts';
import { checksumVerdict, ParsedFrame, parseFrame } from '../../src/wire/parse.ts';
import { readPcap } from '../../src/wire/pcap.ts';

const captures = new URL('../../../shared/captures/', import.meta.url);
const table = new URL('../vectors/captures/verdicts.json', import.meta.url);
const expected = JSON.parse(readFileSync(table, 'utf8')) as Record<string, string>;

/** `GG*3 --` written out: one pair of letters a frame. */
function* frames(runs: string): Generator<string> {
  for (const run of runs.split(' ')) {
    const [pair = '', times = '1'] = run.split('*');
    for (let i = 0; i < Number(times); i++) yield pair;
  }
}

const letter = (checked: boolean, ok: boolean): string => (checked ? (ok ? 'G' : 'B') : '-');

function ours(view: DataView, at: number, len: number, out: ParsedFrame): string {
  parseFrame(view, at, len, out);
  checksumVerdict(view, at, out);
  if (out.l3Malformed) return 'MM';
  return letter(out.ipCsumChecked, out.ipCsumOk) + letter(out.l4CsumChecked, out.l4CsumOk);
}

function verdicts(file: string): string[] {
  const bytes = new Uint8Array(readFileSync(new URL(file, captures)));
  const capture = readPcap(new CaptureFile(file, bytes));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const out = new ParsedFrame();
  return capture.frames.map((frame) => ours(view, frame.at, frame.capLen, out));
}

describe.skipIf(!existsSync(captures))(
  'every frame of the shared captures is judged as by tshark',
  () => {
    test.each(Object.entries(expected))('%s', (file, runs) => {
      expect(verdicts(file)).toEqual([...frames(runs)]);
    });
  },
);
