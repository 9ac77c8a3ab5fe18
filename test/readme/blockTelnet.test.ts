import { buildFrame, parseIpv4Addr, parseMac } from 'ringscope';
import { packet, run } from 'ringscope/vitest';
import { expect, test } from 'vitest';
import blockTelnet from './blockTelnet.ts';

const tcpTo = (dstPort: number): Uint8Array =>
  buildFrame({
    dst: parseMac('02:00:00:00:00:01'),
    src: parseMac('02:00:00:00:00:aa'),
    net: {
      kind: 'ipv4',
      src: parseIpv4Addr('192.0.2.1'),
      dst: parseIpv4Addr('10.0.0.1'),
      body: { kind: 'tcp', srcPort: 40_000, dstPort },
    },
  });

test('telnet is dropped, ssh is not', () => {
  expect(packet(blockTelnet, tcpTo(23)).verdict).toBe('XDP_DROP');
  expect(packet(blockTelnet, tcpTo(22)).toStack).toEqual(tcpTo(22));
});

test('two million frames a second find a buffer each', async () => {
  const { report } = await run({ xdp: blockTelnet, traffic: 'udp rate=2Mpps', count: 10_000 });
  expect(report).toBeConserved();
  expect(report).toHaveLost({ noBuffer: 0 });
  expect(report).toHaveVerdicts({ xdpPass: 10_000 });
});
