/**
 * Our stack and this machine's kernel understand each other, through the emulated driver.
 *
 * Skipped where there is no root, no TUN device or no tool; RINGSCOPE_RUNS above 1 tries every size.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FLAT } from '../../src/host/profiles.ts';
import { PAGE_SIZE } from '../../src/host/memory.ts';
import { Machine } from '../../src/machine.ts';
import { inletBytes } from '../../src/machine/inlet.ts';
import { APP_DEFAULTS } from '../../src/machine/inetConfig.ts';
import { udpSend, udpSendmsg } from '../../src/stack/udpSend.ts';
import type { UdpSock } from '../../src/stack/udpSock.ts';
import { UdpMsg, udpClose, udpConnect, udpRecvmsg } from '../../src/stack/udpUser.ts';
import { TapLink, tapMissing } from './tapLink.ts';

const missing = tapMissing();
const STEP = Number(process.env['RINGSCOPE_RUNS'] ?? 1) > 1 ? 1 : 37;
const SLOTS = 256;
/** MTU 1500 less an IPv4 or IPv6 header, and an ICMP or UDP header. */
const MOST4 = 1472;
const MOST6 = 1452;
const sizes = (most: number): number =>
  Math.floor((most - 1) / STEP) + 1 + ((most - 1) % STEP ? 1 : 0);
const ECHO = 0;
const CAPTURE = 1;
const PEER = 0x0a00_000a;

function build(): Machine {
  const common = { ...APP_DEFAULTS, cpu: 1 };
  return new Machine(
    {
      ...{ seed: 1, cpus: 2, hz: 250, budget: 64, netdevBudget: 300, profile: FLAT },
      ...{ stack: true, check: true, eager: false },
      inet: {
        apps: [
          { ...common, kind: 'echo', udp: 7 },
          { ...common, kind: 'capture', udp: 5000, keep: 5000 },
        ],
      },
      nics: [
        {
          ...{ name: 'eth0', mac: Uint8Array.of(2, 0, 0, 0, 0, 1), queues: 2, rxRing: 511 },
          ...{ txRing: 255, mtu: 1500, linkBps: 1e9, rxUsecs: 10, rxFrames: 15, txUsecs: 28 },
          ...{ txFrames: 30, rxvlan: true, promisc: false, irqAffinity: [0, 1] },
        },
      ],
    },
    inletBytes(SLOTS, 1500),
  );
}

describe.skipIf(missing !== null)(
  `over a TAP device${missing === null ? '' : ` (${missing})`}`,
  () => {
    let machine: Machine;
    let link: TapLink;

    beforeAll(async () => {
      machine = build();
      machine.open();
      link = new TapLink(machine, SLOTS);
      await link.ready();
    }, 60_000);

    afterAll(() => link.end());

    test('ping, the program itself', async () => {
      const text = await link.program(
        'ping',
        '-c',
        '3',
        '-i',
        '0.2',
        '-W',
        '5',
        '-s',
        '56',
        '10.0.0.1',
      );
      expect(text).toContain('3 received, 0% packet loss');
      const text6 = await link.program('ping', '-6', '-c', '3', '-i', '0.2', '-W', '5', 'fd00::1');
      expect(text6).toContain('3 received, 0% packet loss');
    }, 60_000);

    test.each([
      ['ICMP echo', 'echo4', MOST4],
      ['ICMPv6 echo', 'echo6', MOST6],
      ['UDP to our echo', 'udp', MOST4],
    ])(
      '%s of 1 to the most bytes a frame holds',
      async (_, what, most) => {
        expect(await link.program(...link.peers(what, 1, most, STEP))).toBe(String(sizes(most)));
      },
      120_000,
    );

    test.each([
      ['ICMP echo', 'echo4', 65_507],
      ['ICMPv6 echo', 'echo6', 65_527],
      ['UDP to our echo', 'udp', 65_507],
      ['UDP to our echo over IPv6', 'udp6', 65_527],
    ])(
      '%s too long for one frame, in fragments both ways',
      async (_, what, most) => {
        expect(await link.program(...link.peers(what, 1473, most, 31_999))).toBe('4');
      },
      120_000,
    );

    test("a connected socket hears of the kernel's closed port", async () => {
      const { sock } = machine.apps[CAPTURE]!;
      const inet = machine.net.inet!;
      const [cpu] = machine.cpus;
      const page = machine.pages.alloc();
      const client = inet.udp.bind(0, 0, 4096) as UdpSock;
      expect(udpConnect(client, inet, PEER, 7778)).toBe(0);
      expect(udpSend(client, inet, page, 5, machine.nics[0]!.bp.dev, cpu!)).toBe(5);
      await expect.poll(() => client.err, { timeout: 20_000 }).toBe(111);
      expect(udpRecvmsg(client, inet, page, 100, new UdpMsg(), cpu!)).toBe(-111);
      expect(sock.err).toBe(0);
      udpClose(client, inet, cpu!);
      machine.pages.release(page);
    }, 60_000);

    test("UDP to the kernel's echo, and back", async () => {
      const server = link.start(...link.peers('serve'));
      await new Promise((resolve) => server.stdout.once('data', resolve));
      const { sock, captured } = machine.apps[CAPTURE]!;
      const page = machine.pages.alloc();
      for (let i = 0; i < PAGE_SIZE; i++) machine.mem.u8[page + i] = i * 7;
      for (const len of [1, 2, 100, 999, MOST4]) {
        const before = captured.length;
        udpSendmsg(sock, machine.net.inet!, page, len, PEER, 7777, machine.cpus[0]!);
        await expect.poll(() => captured.length, { timeout: 20_000 }).toBe(before + 1);
        const sent = machine.mem.u8.slice(page, page + len);
        expect(Buffer.compare(captured.at(-1)!.bytes, sent)).toBe(0);
      }
      machine.pages.release(page);
      server.kill();
    }, 120_000);

    test('tshark finds no malformed frame and no wrong checksum, and the books add up', async () => {
      expect(await link.close()).toBe('');
      expect(link.heard).toBeGreaterThan(100);
      expect(link.said).toBeGreaterThan(100);
      expect(machine.apps[ECHO]!.sendErrors).toBe(0);
      machine.close();
      const { nics, pages } = machine.result();
      expect(nics[0]!.fates.imbalance()).toEqual({ nic: 0, driver: 0, tx: 0, up: 0 });
      expect(pages.leaked).toBe(0);
    }, 60_000);
  },
);
