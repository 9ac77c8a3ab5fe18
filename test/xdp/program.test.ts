import { describe, expect, test } from 'vitest';
import { RangeRefused } from '../../src/host/errors.ts';
import { RX_RING } from '../../src/host/ledger.ts';
import type { XdpContext } from '../../src/xdp/context.ts';
import { defineXdp, devMap } from '../../src/xdp/define.ts';
import type { DevMap } from '../../src/xdp/maps/devmap.ts';
import { bpfProgRunXdp, checkVerdict, ProgramFault } from '../../src/xdp/program.ts';
import { xdpDoFlush, xdpDoRedirect } from '../../src/xdp/redirect.ts';
import { XDP_DROP, XDP_PASS, XDP_REDIRECT } from '../../src/xdp/uapi.ts';
import { RX_IFINDEX, RX_QUEUE, xdpRig } from './rig.ts';
import type { Rig } from './rig.ts';

const counter = (): number => XDP_PASS;

type Fn = (ctx: XdpContext) => number;

const run = (rig: Rig, fn: Fn): number =>
  bpfProgRunXdp(defineXdp(fn, { name: 'p' }).load(rig.xdp), rig.md, rig.rxq, rig.cpu);

/** Run `fn` on a packet of 60 bytes, 0 to 59. */
function onPacket(fn: Fn): Rig {
  const rig = xdpRig();
  rig.packet(Uint8Array.from({ length: 60 }, (_, i) => i));
  run(rig, fn);
  return rig;
}

describe('bpf_prog_run_xdp', () => {
  test('charges one run, and books the age of the packet when its verdict is there', () => {
    const rig = xdpRig();
    rig.packet(60);
    rig.cpu.now = 5_000_000;
    rig.stamps.set(rig.packet(60), 1_000_000);
    expect(run(rig, () => XDP_DROP)).toBe(XDP_DROP);
    expect(rig.cpu.now).toBe(5_015_800);
    expect(rig.rxq.latency).toMatchObject({ count: 1, sumPs: 4_015_800 });
  });

  test('the program sees the CPU and the time of the poll that runs it', () => {
    const rig = xdpRig({ cpus: 2 });
    const seen: number[] = [];
    const prog = defineXdp((ctx) => seen.push(ctx.cpu(), ctx.ktimeNs())).load(rig.xdp);
    rig.packet(60);
    rig.cpus[1]!.now = 2_000_000;
    for (const cpu of [rig.cpus[1]!, rig.cpus[0]!]) {
      rig.xdp.cpu = cpu; // as a poll does before its first packet
      bpfProgRunXdp(prog, rig.md, rig.rxq, cpu);
    }
    expect(seen).toEqual([1, 2015, 0, 15]);
  });

  test('a program that throws is named, and so is its packet', () => {
    const rig = xdpRig();
    rig.packet(60);
    const prog = defineXdp(
      () => {
        if (rig.rxq.runs === 1) throw new TypeError('no such server');
        return XDP_PASS;
      },
      { name: 'lb' },
    ).load(rig.xdp);
    bpfProgRunXdp(prog, rig.md, rig.rxq, rig.cpu);
    const second = (): number => bpfProgRunXdp(prog, rig.md, rig.rxq, rig.cpu);
    expect(second).toThrow(
      'program lb, packet 2 of ifindex 3 queue 5: threw TypeError: no such server',
    );
    expect(rig.rxq.runs).toBe(1);
  });

  test('a fault says program, packet, interface, queue and what was touched', () => {
    const rig = xdpRig();
    rig.packet(60);
    expect(() => run(rig, (ctx) => ctx.u16(59))).toThrow(
      `program p, packet 1 of ifindex ${RX_IFINDEX} queue ${RX_QUEUE}: touches 2 bytes at offset 59 of a 60-byte packet`,
    );
  });

  test('in checked mode a program may only run on a page that the driver holds', () => {
    const rig = xdpRig({ checked: true });
    const page = rig.packet(60);
    expect(run(rig, () => XDP_DROP)).toBe(XDP_DROP);
    rig.xdp.watch.page(page, RX_RING);
    expect(() => run(rig, () => XDP_DROP)).toThrow('which belongs to RX ring');
  });

  test('the verdict is traced with the length the program left', () => {
    const rig = xdpRig();
    const page = rig.packet(60);
    rig.trace.start(4, 4);
    rig.xdp.watch.refresh();
    run(rig, (ctx) => (ctx.adjustHead(-20), XDP_PASS));
    const [record] = [...rig.trace.records()];
    expect([record!.point.kernel, ...record!.args]).toEqual(['bpf_prog_run_xdp', 2, 80, page]);
  });
});

describe('verdicts', () => {
  test.each([5, 99, -1, 0])('an integer, %i, is the business of the driver', (verdict) => {
    const rig = xdpRig();
    rig.packet(60);
    expect(run(rig, () => verdict)).toBe(verdict);
    const prog = defineXdp(() => verdict, { name: 'odd' }).load(rig.xdp);
    checkVerdict(prog, rig.rxq, verdict);
  });

  test.each([
    [1.5, '1.5'],
    [NaN, 'NaN'],
    [undefined, 'undefined'],
    ['2', 'string'],
    [Promise.resolve(2), 'a promise'],
  ])('%s is no verdict', (verdict, named) => {
    const rig = xdpRig();
    rig.packet(60);
    const prog = defineXdp(() => verdict as number, { name: 'odd' }).load(rig.xdp);
    const act = bpfProgRunXdp(prog, rig.md, rig.rxq, rig.cpu);
    expect(() => checkVerdict(prog, rig.rxq, act)).toThrow(
      `program odd, packet 1 of ifindex 3 queue 5: returned ${named}, which is no integer`,
    );
  });
});

describe('the context', () => {
  test('reads and writes big-endian, at any offset', () => {
    const rig = onPacket((ctx) => {
      expect([ctx.u8(1), ctx.u16(1), ctx.u32(1)]).toEqual([1, 0x0102, 0x01020304]);
      ctx.setU8(10, 0xaa);
      ctx.setU16(11, 0xbbcc);
      ctx.setU32(13, 0xdeadbeef);
      expect(ctx.u32(13)).toBe(0xdeadbeef);
      return XDP_PASS;
    });
    expect([...rig.bytes().slice(9, 18)]).toEqual([
      9, 0xaa, 0xbb, 0xcc, 0xde, 0xad, 0xbe, 0xef, 17,
    ]);
  });

  test.each<[string, (ctx: XdpContext) => unknown]>([
    ['a byte past the end', (ctx) => ctx.u8(60)],
    ['the last bytes of a word past the end', (ctx) => ctx.u32(57)],
    ['in front of the packet', (ctx) => ctx.u8(-1)],
    ['at no number', (ctx) => ctx.u16(NaN)],
    ['a write past the end', (ctx) => ctx.setU16(59, 0)],
    ['a write at no number', (ctx) => ctx.setU32(NaN, 0)],
    ['a copy that reads past the end', (ctx) => ctx.copy(0, 50, 11)],
    ['a copy that writes past the end', (ctx) => ctx.copy(50, 0, 11)],
    ['a copy of a negative length', (ctx) => ctx.copy(50, 40, -1)],
    ['a sum past the end', (ctx) => ctx.csum(0, 61)],
    ['metadata that does not exist', (ctx) => ctx.metaU32(0)],
    ['metadata past its end', (ctx) => (ctx.adjustMeta(-8), ctx.setMetaU32(5, 0))],
    ['bytes cut off', (ctx) => (ctx.adjustTail(-1), ctx.u8(59))],
  ])('stops a program that touches %s', (_, touch) => {
    const rig = xdpRig();
    const page = rig.packet(60);
    rig.mem.u8.fill(0xee, page + 256 + 60, page + 512);
    const before = rig.mem.u8.slice();
    expect(() => run(rig, (ctx) => (touch(ctx), XDP_PASS))).toThrow(ProgramFault);
    const after = rig.mem.u8.slice(page, page + 4096);
    expect(after).toEqual(before.slice(page, page + 4096));
  });

  test('the last byte, half-word and word are inside', () => {
    onPacket((ctx) => {
      expect([ctx.u8(59), ctx.u16(58), ctx.u32(56)]).toEqual([59, 0x3a3b, 0x38393a3b]);
      return XDP_PASS;
    });
  });

  test('after an adjust the offsets count from the new first byte', () => {
    const rig = onPacket((ctx) => {
      expect(ctx.adjustHead(-4)).toBe(0);
      expect([ctx.len, ctx.u8(5)]).toEqual([64, 1]);
      expect(ctx.adjustTail(6)).toBe(0);
      expect([ctx.len, ctx.u8(63), ctx.u8(64)]).toEqual([70, 59, 0]);
      expect(ctx.adjustHead(-10_000)).toBe(-22);
      expect(ctx.dataEnd - ctx.data).toBe(70);
      return XDP_PASS;
    });
    expect(rig.bytes()).toHaveLength(70);
  });

  test('is bound to each packet anew', () => {
    const rig = xdpRig();
    const lens: number[] = [];
    const prog = defineXdp((ctx) => lens.push(ctx.len, ctx.u8(0))).load(rig.xdp);
    for (const len of [60, 1514]) {
      rig.packet(new Uint8Array(len).fill(len & 0xff));
      bpfProgRunXdp(prog, rig.md, rig.rxq, rig.cpu);
    }
    expect(lens).toEqual([60, 60, 1514, 1514 & 0xff]);
  });

  test('knows where the packet came in', () => {
    onPacket((ctx) => {
      expect([ctx.ingressIfindex, ctx.rxQueueIndex]).toEqual([RX_IFINDEX, RX_QUEUE]);
      return XDP_PASS;
    });
  });

  test('copies inside the packet, overlap included', () => {
    const rig = onPacket((ctx) => (ctx.copy(2, 0, 6), XDP_PASS));
    expect([...rig.bytes().slice(0, 9)]).toEqual([0, 1, 0, 1, 2, 3, 4, 5, 8]);
  });

  test('sums as RFC 1071 does: its worked example', () => {
    const rig = xdpRig();
    rig.packet(Uint8Array.from([0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]));
    run(rig, (ctx) => {
      expect(ctx.csumFold(ctx.csum(0, 8))).toBe(0xffff & ~0xddf2);
      expect(ctx.csumFold(ctx.csum(4, 4, ctx.csum(0, 4)))).toBe(0xffff & ~0xddf2);
      return XDP_PASS;
    });
  });

  test('keeps metadata words in host order, in front of the packet', () => {
    const rig = onPacket((ctx) => {
      expect(ctx.adjustMeta(-8)).toBe(0);
      ctx.setMetaU32(4, 0x11223344);
      expect([ctx.metaLen, ctx.metaU32(4)]).toEqual([8, 0x11223344]);
      return XDP_PASS;
    });
    expect([...rig.mem.u8.slice(rig.mem.words[rig.md >> 2]! - 4).slice(0, 4)]).toEqual([
      0x44, 0x33, 0x22, 0x11,
    ]);
  });

  test('two machines of one seed draw the same random numbers', () => {
    const drawn: number[] = [];
    const program = (ctx: XdpContext): number => drawn.push(ctx.random(), ctx.random());
    onPacket(program);
    onPacket(program);
    expect(drawn.slice(0, 2)).toEqual(drawn.slice(2));
    expect(drawn[0]).not.toBe(drawn[1]);
  });

  test('redirects by ifindex', () => {
    const rig = xdpRig();
    const target = rig.target(7);
    rig.packet(60);
    expect(run(rig, (ctx) => ctx.redirect(7))).toBe(XDP_REDIRECT);
    expect(xdpDoRedirect(rig.rxq, rig.cpu, rig.md)).toBe(0);
    xdpDoFlush(rig.xdp, rig.cpu);
    expect(target.frames).toHaveLength(1);
  });
});

describe('a blueprint', () => {
  test('has a name: given, or that of its function', () => {
    expect(defineXdp(counter).name).toBe('counter');
    expect(defineXdp(counter, { name: 'other' }).name).toBe('other');
    expect(defineXdp(() => XDP_PASS).name).toBe('xdp_prog');
  });

  test('loads into several machines, each with maps and ids of its own', () => {
    const spec = defineXdp((ctx) => ctx.redirectMap(ctx.maps.out, 0, XDP_DROP), {
      frags: true,
      maps: { out: devMap(2) },
    });
    const [a, b] = [xdpRig(), xdpRig()];
    const inA = spec.load(a.xdp);
    const inB = spec.load(b.xdp);
    (inA.maps['out'] as DevMap).update(0, a.target(7));
    a.packet(60);
    b.packet(60);
    expect(inA.run(a.md)).toBe(XDP_REDIRECT);
    expect(inB.run(b.md)).toBe(XDP_DROP);
    expect([inA.id, inB.id, spec.load(a.xdp).id]).toEqual([1, 1, 2]);
    expect(inA.hasFrags).toBe(true);
  });

  test.each([0, -1, 65537, 1.5, NaN])('a devmap of %d entries is refused', (entries) => {
    expect(() => devMap(entries)).toThrow(RangeRefused);
  });
});

test('what is no function is refused where it is defined', () => {
  expect(() => defineXdp('drop' as unknown as () => number)).toThrow(
    'defineXdp: string is out of range (a function of the packet)',
  );
});
