/** examples/captures: what scripts/record-captures.sh recorded, as tshark counted it then, and through the machine. */
import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { run } from '../src/node.ts';
import { readCapture } from '../src/wire/capture.ts';
import { ParsedFrame, checksumVerdict, parseFrame } from '../src/wire/parse.ts';

const FOLDER = new URL('../examples/captures/', import.meta.url);
const bytesOf = (name: string): Uint8Array => new Uint8Array(readFileSync(new URL(name, FOLDER)));
const NAMES = readdirSync(FOLDER).filter((name) => name.endsWith('.pcap'));
const MOST_BYTES = 200_000;

/** `tshark -r FILE -T fields -e frame.protocols | sort | uniq -c`, summed by what carries the frame. */
const COUNTED: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  'bulk-tcp.pcap': { arp: 2, tcp: 64 },
  'dns.pcap': { arp: 2, udp: 8 },
  'fragments.pcap': { arp: 2, fragment: 12, icmp6: 2 },
  'http.pcap': { arp: 2, tcp: 20 },
  'ipv6.pcap': { icmp6: 8 },
  'ping.pcap': { arp: 4, icmp: 11, icmp6: 4 },
  'vlan.pcap': { 'tag arp': 2, 'tag icmp': 4, 'two tags arp': 2, 'two tags icmp': 4 },
};

const TAGS = ['', 'tag ', 'two tags '];
const PROTOCOLS: Readonly<Record<number, string>> = { 1: 'icmp', 6: 'tcp', 17: 'udp', 58: 'icmp6' };

function kindOf(p: ParsedFrame): string {
  const tags = TAGS[p.vlanCount]!;
  if (p.etherType === 0x0806) return `${tags}arp`;
  if (p.frag !== 0) return `${tags}fragment`;
  return `${tags}${PROTOCOLS[p.l4Proto] ?? p.l4Proto}`;
}

test('they are small, and all are counted', () => {
  expect(NAMES.reduce((sum, name) => sum + bytesOf(name).length, 0)).toBeLessThan(MOST_BYTES);
  expect(NAMES.toSorted()).toEqual(Object.keys(COUNTED));
});

describe.each(NAMES)('%s', (name) => {
  test('holds what was recorded, and every checksum is right', () => {
    const counts: Record<string, number> = {};
    const p = new ParsedFrame();
    const { bytes, frames } = readCapture(bytesOf(name), name);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    for (const { at, capLen } of frames) {
      parseFrame(view, at, capLen, p);
      checksumVerdict(view, at, p);
      expect([p.l2Malformed, p.l3Malformed, p.l4Malformed]).toEqual([false, false, false]);
      expect([!p.ipCsumChecked || p.ipCsumOk, !p.l4CsumChecked || p.l4CsumOk]).toEqual([
        true,
        true,
      ]);
      counts[kindOf(p)] = (counts[kindOf(p)] ?? 0) + 1;
    }
    expect(counts).toEqual(COUNTED[name]);
  });

  test('goes through the machine, conserved and with nothing leaked', async () => {
    const { report } = await run({ xdp: 'pass', in: bytesOf(name), check: true });
    expect(report.conserved).toBe(true);
    expect(report.packets.offered).toBe(Object.values(COUNTED[name]!).reduce((a, b) => a + b));
  });
});
