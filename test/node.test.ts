import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { run, runFile } from '../src/node.ts';
import { readCapture } from '../src/wire/capture.ts';

const dir = mkdtempSync(join(tmpdir(), 'ringscope-'));
const inDir = (name: string): string => join(dir, name);

test('a capture asked for by name is written, and is in the outcome as well', async () => {
  const name = inDir('sent.pcapng');
  const { report, captures } = await run({ xdp: 'echo', count: 12, txOut: name });
  expect(report.packets.onWire).toBe(12);
  expect(readCapture(readFileSync(name), name).frames).toHaveLength(12);
  expect(new Uint8Array(readFileSync(name))).toEqual(captures.txOut);
});

test('a capture asked for as a value is written nowhere', async () => {
  const { captures } = await run({ xdp: 'pass', count: 5, passOut: true });
  expect(readCapture(captures.passOut!, 'passed').frames).toHaveLength(5);
  expect(existsSync('./passOut (given)')).toBe(false);
});

test('a scenario file is run with what code adds, its captures written', async () => {
  const passed = inDir('passed.pcapng');
  writeFileSync(inDir('lab.yaml'), `xdp: pass\ncount: 7\npass-out: ${passed}\n`);
  const { report } = await runFile(inDir('lab.yaml'), { count: 9 });
  expect(report.packets).toMatchObject({ offered: 9, xdpPass: 9 });
  expect(readCapture(readFileSync(passed), passed).frames).toHaveLength(9);
});

test('a file that is not there is refused by option and name', async () => {
  await expect(run({ in: inDir('none.pcap') })).rejects.toThrow(/^--in: .*none.pcap: no such file/);
  await expect(runFile(inDir('none.yaml'))).rejects.toThrow(/^SCENARIO: .*none.yaml: no such file/);
  await expect(run({ txOut: inDir('no/such.pcapng'), count: 1 })).rejects.toThrow(
    /^--tx-out: cannot write/,
  );
});
