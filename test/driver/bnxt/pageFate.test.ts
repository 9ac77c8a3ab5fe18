import { describe, expect, test } from 'vitest';
import { bnxtRxPkt } from '../../../src/driver/bnxt/rx.ts';
import { swRxBdAt, swRxBdDataPtr, swRxBdMapping } from '../../../src/driver/bnxt/swRxBd.ts';
import { PAGE_MASK } from '../../../src/host/memory.ts';
import { devClose } from '../../../src/stack/netdevice.ts';
import type { XdpProgramSpec } from '../../../src/xdp/define.ts';
import { groNormalList } from '../../../src/stack/gro.ts';
import { XDP_ABORTED, XDP_DROP, XDP_PASS, XDP_REDIRECT, XDP_TX } from '../../../src/xdp/uapi.ts';
import type { RigOptions } from './rig.ts';
import { NOTHING, Rig, SMALL, program, udpFrame, verdicts } from './rig.ts';

/** What one packet did to its page and to its ring. */
interface Fate {
  /** Where the packet's page is: RX slot, and owner by the ledger. */
  readonly slot: number;
  readonly owner: string;
  /** Is the page in the slot that took the packet's place (511) another one? */
  readonly replaced: boolean;
  /** Buffers in the ring: 511 at all times. */
  readonly buffers: number;
  readonly exceptions: number;
  readonly events: number;
}

const LARGE = udpFrame(1000);
const TAKEN = 0;
const PROD = 511;

/** One packet through `bnxtRxPkt` alone; the slot it stood in is 0, the producer slot 511. */
function onePacket(rig: Rig, frame: Uint8Array = SMALL): Fate {
  rig.trace();
  const rxr = rig.rxr();
  const page = rig.slotPage(TAKEN);
  expect(rig.slotOwner(TAKEN)).toBe('RX ring');
  expect(rig.buffers()).toBe(511);
  expect(rig.slotData(PROD)).toBe(0);
  rig.ready(1, frame);
  rig.hw().settleAll(rig.cpu.now);
  rig.schedule();
  rxr.rawCons = 0;
  rxr.event = 0;
  bnxtRxPkt(rxr);
  groNormalList(rig.bnapi().napi); // as the end of the poll would
  const exceptions = rig.events('xdpException').length;
  const fate = {
    slot: rig.slots().findIndex((data) => data !== 0 && (data & PAGE_MASK) === page),
    owner: rig.ownerOf(page),
    replaced: rig.slotPage(PROD) !== page && rig.slotOwner(PROD) === 'RX ring',
    buffers: rig.buffers(),
    exceptions,
    events: rxr.event,
  };
  expect(rxr.rxProd).toBe(512);
  expect(rxr.rxNextCons).toBe(1);
  rig.bnapi().cpRing.cpRawCons = 2;
  return fate;
}

const RX_EVENT = 1;
const TX_EVENT = 4;
const REDIRECT_EVENT = 8;
const reposted = { slot: PROD, owner: 'RX ring', replaced: false, buffers: 511 };
const rigOf = (first: XdpProgramSpec, options: RigOptions = {}): Rig =>
  new Rig({ xdp: [first], ...options });

describe('where the page of a packet goes', () => {
  test('XDP_PASS, short: copied, the same page is posted again', () => {
    const rig = rigOf(verdicts(XDP_PASS));
    expect(onePacket(rig, udpFrame(256))).toEqual({ ...reposted, exceptions: 0, events: RX_EVENT });
    expect(rig.fates()).toMatchObject({ xdpPass: 1, toStack: 1 });
  });

  test('XDP_PASS, long: a new page is posted, the old one goes up with the skb', () => {
    const rig = rigOf(verdicts(XDP_PASS));
    const owners: string[] = [];
    const page = rig.slotPage(TAKEN);
    rig.machine.net.addTap({ onSkb: () => owners.push(rig.ownerOf(page)) });
    expect(onePacket(rig, LARGE)).toEqual({
      slot: -1,
      owner: 'pool cache', // the skb has been consumed, in the NAPI that owns the pool
      replaced: true,
      buffers: 511,
      exceptions: 0,
      events: RX_EVENT,
    });
    expect(owners).toEqual(['skb']);
  });

  test('XDP_TX with room: on the TX ring and in the RX slot at once; the RX doorbell is withheld', () => {
    const rig = rigOf(verdicts(XDP_TX));
    expect(onePacket(rig)).toEqual({
      ...reposted,
      owner: 'TX ring',
      exceptions: 0,
      events: TX_EVENT,
    });
    expect(rig.fates().xdpTx).toBe(1);
  });

  test('XDP_TX into a full ring: posted again, an exception, a loss and no transmission', () => {
    const rig = rigOf(verdicts(XDP_TX), { txRing: 19 });
    rig.txr().txProd = 19; // nothing of it has been sent
    expect(onePacket(rig)).toEqual({ ...reposted, exceptions: 1, events: 0 });
    expect(rig.fates().xdpTx).toBe(0);
    expect(rig.lost()).toEqual({ txRingFull: 1 });
    rig.txr().txProd = 0;
    expect(rig.leftOver()).toEqual(NOTHING);
  });

  test('XDP_TX with room for one more takes it', () => {
    const rig = rigOf(verdicts(XDP_TX), { txRing: 19 });
    rig.txr().txProd = 18;
    expect(onePacket(rig)).toMatchObject({ owner: 'TX ring', exceptions: 0, events: TX_EVENT });
  });

  test('XDP_REDIRECT: a new page takes the slot, the old one is a frame in a bulk queue', () => {
    const rig = rigOf(
      program((ctx) => ctx.redirect(3)),
      {
        nics: 2,
        xdp: [program((ctx) => ctx.redirect(3)), verdicts(XDP_PASS)],
      },
    );
    expect(onePacket(rig)).toEqual({
      slot: -1,
      owner: 'xdp_frame',
      replaced: true,
      buffers: 511,
      exceptions: 0,
      events: RX_EVENT | REDIRECT_EVENT,
    });
  });

  test('XDP_REDIRECT without a page for the slot: dropped, its own page is posted again', () => {
    const rig = rigOf(
      program((ctx) => ctx.redirect(3)),
      {
        nics: 2,
        xdp: [program((ctx) => ctx.redirect(3)), verdicts(XDP_PASS)],
      },
    );
    emptyPool(rig);
    expect(onePacket(rig)).toEqual({ ...reposted, exceptions: 1, events: RX_EVENT });
    expect(rig.lost()).toEqual({ oom: 1 });
    expect(rig.bnapi().cpRing.swStats.rxOomDiscards).toBe(0); // no Linux counter moves
  });

  test.each([
    ['to no device (-EINVAL)', program((ctx) => ctx.redirect(99)), 'redirectNoTarget'],
    ['without having chosen a target (-EBADRQC)', verdicts(XDP_REDIRECT), 'redirectFailed'],
  ])(
    'XDP_REDIRECT %s: the new page stays, the old one goes straight to the pool',
    (_n, first, why) => {
      const rig = rigOf(first, { nics: 2, xdp: [first, verdicts(XDP_PASS)] });
      expect(onePacket(rig)).toEqual({
        slot: -1,
        owner: 'pool cache',
        replaced: true,
        buffers: 511,
        exceptions: 1,
        events: RX_EVENT,
      });
      expect(rig.lost()).toEqual({ [why]: 1 });
      expect(rig.fates().xdpRedirect).toBe(0);
    },
  );

  test.each<[string, RigOptions, (rig: Rig) => void, number]>([
    ['-EOPNOTSUPP: the target has no program', { xdp: [toEth1()] }, () => {}, 64],
    [
      '-ENETDOWN: the target is down',
      { xdp: [toEth1(), verdicts(XDP_PASS)] },
      (rig) => devClose(rig.dev(1)),
      64,
    ],
    [
      '-EMSGSIZE: longer than the target MTU, header and tag',
      { xdp: [toEth1(), verdicts(XDP_PASS)] },
      (rig) => void (rig.dev(1).mtu = 982),
      1001,
    ],
  ])('XDP_REDIRECT %s: page to the pool, an exception', (_name, options, prepare, len) => {
    const rig = new Rig({ nics: 2, ...options });
    prepare(rig);
    expect(onePacket(rig, udpFrame(len))).toMatchObject({
      owner: 'pool cache',
      replaced: true,
      exceptions: 1,
      events: RX_EVENT,
    });
    expect(rig.lost()).toEqual({ redirectFailed: 1 });
  });

  test('a frame of exactly MTU, header and tag is not too long', () => {
    const rig = new Rig({ nics: 2, xdp: [toEth1(), verdicts(XDP_PASS)] });
    rig.dev(1).mtu = 982;
    expect(onePacket(rig, udpFrame(1000))).toMatchObject({ owner: 'xdp_frame', exceptions: 0 });
  });

  test('an unknown verdict: posted again, warned once, and an exception', () => {
    const rig = rigOf(verdicts(7));
    expect(onePacket(rig)).toEqual({ ...reposted, exceptions: 1, events: RX_EVENT });
    expect(rig.lost()).toEqual({ invalidVerdict: 1 });
    expect(rig.machine.net.dmesg.lines).toEqual([
      'Illegal XDP return value 7 on prog verdicts (id 1) dev eth0, expect packet loss!',
    ]);
  });

  test('a negative verdict is printed as the kernel prints it, unsigned', () => {
    const rig = rigOf(verdicts(-1));
    onePacket(rig);
    expect(rig.machine.net.dmesg.lines[0]).toContain('return value 4294967295 ');
  });

  test('a verdict that is no integer ends the run and names program and packet', () => {
    const rig = rigOf(verdicts(XDP_DROP, 1.5));
    rig.ready(2);
    expect(() => rig.poll()).toThrow(
      /program verdicts, packet 2 .*returned 1.5, which is no integer/,
    );
  });

  test('XDP_ABORTED: posted again, an exception', () => {
    const rig = rigOf(verdicts(XDP_ABORTED));
    expect(onePacket(rig)).toEqual({ ...reposted, exceptions: 1, events: RX_EVENT });
    expect(rig.fates().xdpAborted).toBe(1);
  });

  test('XDP_DROP: posted again, and nothing else', () => {
    const rig = rigOf(verdicts(XDP_DROP));
    const pool = rig.rxr().pagePool.stats;
    const before = { ...pool };
    expect(onePacket(rig)).toEqual({ ...reposted, exceptions: 0, events: RX_EVENT });
    expect({ ...pool }).toEqual(before);
    expect(rig.fates().xdpDrop).toBe(1);
  });

  test('a hardware error: posted again, and the program never sees it', () => {
    const rig = rigOf(
      program(() => {
        throw new Error('ran');
      }),
    );
    rig.machine.faults.arm('rxCmpCrc');
    expect(onePacket(rig)).toEqual({ ...reposted, exceptions: 0, events: RX_EVENT });
  });
});

describe('the ring stays full', () => {
  test.each([
    ['dropped', [XDP_DROP]],
    ['passed', [XDP_PASS]],
    ['transmitted', [XDP_TX]],
    ['mixed', [XDP_TX, XDP_DROP, XDP_PASS, XDP_ABORTED, XDP_PASS, XDP_TX, 9]],
  ])('3000 packets, %s: 511 pages stand in it after each poll, all different', (_name, acts) => {
    let i = 0;
    const rig = rigOf(program(() => acts[i++ % acts.length]!));
    for (let round = 0; round < 30; round++) {
      rig.ready(100, round % 2 === 0 ? SMALL : LARGE);
      do rig.poll();
      while (rig.scheduled());
      const pages = new Set(
        rig
          .slots()
          .filter((data) => data !== 0)
          .map((data) => data & PAGE_MASK),
      );
      expect(pages.size).toBe(511);
    }
    rig.run();
    expect(rig.fates().received).toBe(3000);
    expect(rig.leftOver()).toEqual(NOTHING);
  });
});

describe('a program that moves the packet', () => {
  test('XDP_TX sends from where the program left data and data_end', () => {
    const rig = rigOf(
      program((ctx) => {
        ctx.adjustHead(4);
        ctx.adjustTail(-10);
        ctx.setU8(0, 0xab);
        return XDP_TX;
      }),
    );
    const wire = rig.wire();
    rig.ready(1, udpFrame(100));
    rig.poll();
    rig.wait(10);
    rig.poll();
    const frame = [...udpFrame(100)];
    expect(wire).toEqual([{ port: 0, bytes: [0xab, ...frame.slice(5, 90)] }]);
    expect(rig.rxr().cpr.bytes).toBe(86); // DIM counts what the program made of it
  });

  test('the next packet in that page starts at the usual headroom again', () => {
    const rig = rigOf(program((ctx) => (ctx.adjustHead(-20), XDP_DROP)));
    onePacket(rig);
    const { words, rxBufRing } = rig.rxr();
    const buf = swRxBdAt(rxBufRing, PROD);
    expect(swRxBdDataPtr(words, buf) - rig.slotData(PROD)).toBe(256);
    expect(swRxBdMapping(words, buf) - rig.slotData(PROD)).toBe(256);
  });
});

function toEth1(): XdpProgramSpec {
  return program((ctx) => ctx.redirect(3));
}

/** The pool has nothing left, and the allocator gives nothing. */
function emptyPool(rig: Rig): void {
  const { pagePool } = rig.rxr();
  const taken: number[] = [];
  while (pagePool.cachedPages > 0) taken.push(pagePool.alloc(rig.cpu));
  rig.machine.faults.arm('pageAlloc', 0, 1);
}
