import { expect, test } from 'vitest';
import { run } from '../../src/lab/given.ts';
import { readScenario } from '../../src/lab/scenario.ts';
import { buildFrame } from '../../src/wire/build.ts';
import { PcapWriter, readCapture } from '../../src/wire/capture.ts';
import { defineXdp } from '../../src/xdp/define.ts';
import { XDP_TX } from '../../src/xdp/uapi.ts';

const frame = (fill: number): Uint8Array =>
  buildFrame({
    dst: { hi16: 0x200, lo32: 1 },
    src: { hi16: 0x200, lo32: 9 },
    net: { kind: 'raw', etherType: 0x88b5, payload: new Uint8Array(50).fill(fill) },
  });

function captureOf(frames: readonly Uint8Array[]): Uint8Array {
  const writer = new PcapWriter();
  frames.forEach((bytes, i) => writer.frame(0, i * 1_000_000, bytes, 0, bytes.length));
  return writer.finish();
}

const reflect = defineXdp(() => XDP_TX, { name: 'reflect' });

test('a program and a capture may be given as values, and the capture out is a value too', async () => {
  const capture = captureOf([frame(3), frame(4)]);
  const { report, captures } = await run({ xdp: reflect, in: capture, txOut: true });
  expect(report.run.xdp).toBe('reflect');
  expect(report.packets).toMatchObject({ offered: 2, xdpTx: 2, onWire: 2 });
  const sent = readCapture(captures.txOut!, 'sent');
  const bytes = sent.frames.map(({ at, capLen }) => sent.bytes.slice(at, at + capLen));
  expect(bytes).toEqual([frame(3), frame(4)]);
  expect(captures.passOut).toBeUndefined();
});

test('options are refused as on a command line', async () => {
  await expect(run({ queues: 65 })).rejects.toThrow('--queues: 65 is out of range (1 to 64)');
  await expect(run({ qeues: 1 })).rejects.toThrow(/--qeues: unknown option.*queues/);
  await expect(run({ in: Uint8Array.of(1, 2, 3, 4, 5), xdp: 'drop' })).rejects.toThrow(
    /not a pcap or pcapng file/,
  );
});

test('an object that is no program is refused', async () => {
  await expect(run({ xdp: {} as never })).rejects.toThrow(/--xdp: .*made by defineXdp/);
});

test('without files a name is refused, and says what to give instead', async () => {
  await expect(run({ in: 'a.pcap' })).rejects.toThrow(/--in: cannot read a.pcap: .*its contents/);
  await expect(run({ xdp: './a.ts' })).rejects.toThrow(/--xdp: cannot read .\/a.ts/);
});

test('what is given replaces what a scenario says, and leaves the rest', async () => {
  const scenario = readScenario('s.yaml', 'count: 30\nqueues: 2\nxdp: drop\n');
  const { report } = await run({ count: 20 }, undefined, [scenario]);
  expect(report.packets).toMatchObject({ offered: 20, xdpDrop: 20 });
  expect(report.run.queues).toBe(2);
});

test('packets that virtual time is too short for are said', async () => {
  // 2^53 ps are 9007.2 s, and none starts in the last ten: one in 1000 s from 0 on makes nine
  const given = { xdp: 'drop', traffic: 'udp size=64', rate: '0.001' };
  const { report } = await run({ ...given, count: 50 });
  expect(report.notes).toEqual(['only 9 of 50 packets arrived: virtual time ends after 9007 s']);
  expect(report.packets.offered).toBe(9);
  expect((await run({ ...given, count: 5 })).report.notes).toEqual([]);
});
