/** The test vectors of the facts, through real memory and the driver's own doorbell functions. */
import { describe, expect, test } from 'vitest';
import { OP_COUNT } from '../../../src/host/cost.ts';
import { Cpu } from '../../../src/host/cpu.ts';
import { machineConfig } from '../cases.ts';
import type { Case, CaseNic, CaseTraffic } from '../cases.ts';
import {
  DBR_PATH_L2,
  DBR_TYPE_CQ_ARMALL,
  DBR_VALID,
  DB_IDX_VALID,
  DB_IRQ_DIS,
  DB_KEY_CP,
  DB_KEY_RX,
  DB_KEY_TX,
  dbArms,
  dbIndex,
  dbKey,
  dbrEpoch,
  dbrHi,
} from '../../../src/nic/hsi/doorbell.ts';
import { DESC_CNT, bnxtCalcNrRingPages, checkedSlots } from '../../../src/nic/hsi/ring.ts';
import {
  RX_BD_FLAGS_AGG_EOP,
  RX_BD_FLAGS_EOP,
  RX_BD_TYPE_RX_AGG_BD,
  RX_BD_TYPE_RX_PACKET_BD,
  rxBdInit,
} from '../../../src/nic/hsi/rxBd.ts';
import { cmpValid } from '../../../src/nic/hsi/rxCmp.ts';
import {
  TX_BD_FLAGS_BD_CNT_SHIFT,
  TX_BD_FLAGS_PACKET_END,
  TX_BD_TYPE_LONG_TX_BD,
  TX_MAX_LEN,
  bnxtLhint,
  setTxOpaque,
  txBdPost,
  txOpaqueProd,
  txOpaqueRing,
} from '../../../src/nic/hsi/txBd.ts';
import { txCmpWrite } from '../../../src/nic/hsi/txCmp.ts';
import { CompletionRing } from '../../../src/nic/completionRing.ts';
import { LookAhead } from '../../../src/nic/lookAhead.ts';
import { IrqLine } from '../../../src/host/irq.ts';
import { HostMemory } from '../../../src/host/memory.ts';
import { Machine } from '../../../src/machine.ts';
import { AT, words } from './layout.ts';

const cpu = new Cpu(0, new Float64Array(OP_COUNT));

/** First word of a descriptor that `write` puts at `AT`. */
function dword0(write: (mem: Int32Array) => void): number {
  const mem = words();
  write(mem);
  return mem[AT >> 2]! >>> 0;
}

describe('descriptors', () => {
  test('RX BD, MTU 1500 in page mode: 0x06000084', () => {
    const flags = RX_BD_TYPE_RX_PACKET_BD | RX_BD_FLAGS_EOP;
    expect(dword0((mem) => rxBdInit(mem, AT, flags, 1536, 0))).toBe(0x0600_0084);
  });

  test('AGG BD of 4096 bytes: 0x10000046', () => {
    const flags = RX_BD_TYPE_RX_AGG_BD | RX_BD_FLAGS_AGG_EOP;
    expect(dword0((mem) => rxBdInit(mem, AT, flags, 4096, 0))).toBe(0x1000_0046);
  });

  test('TX BD of a 60-byte XDP_TX packet: 0x003C0140', () => {
    const flags = (1 << TX_BD_FLAGS_BD_CNT_SHIFT) | TX_BD_FLAGS_PACKET_END | bnxtLhint(60);
    expect(dword0((mem) => txBdPost(cpu, mem, AT, 60, flags, 0, 0))).toBe(0x003c_0140);
  });

  test('first TX BD of a 60-byte stack packet in one buffer: 0x003C0250', () => {
    const flags = TX_BD_TYPE_LONG_TX_BD | (2 << TX_BD_FLAGS_BD_CNT_SHIFT) | TX_BD_FLAGS_PACKET_END;
    expect(dword0((mem) => txBdPost(cpu, mem, AT, 60, flags, 0, 0))).toBe(0x003c_0250);
  });

  test('the length hint is one step per 512 bytes up to 2048', () => {
    const hints = [0, 511, 512, 1023, 1024, 2047, 2048, TX_MAX_LEN].map((len) => bnxtLhint(len));
    expect(hints.map((hint) => hint >> 13)).toEqual([0, 0, 1, 1, 2, 2, 3, 3]);
  });

  test('TX opaque of ring 0, index 5, 2 descriptors: 0x00020005, and 7 comes next', () => {
    expect(setTxOpaque(0, 5, 2)).toBe(0x0002_0005);
    expect(txOpaqueProd(0x0002_0005, 511)).toBe(7);
  });

  test('the next position wraps with the ring, and the ring number survives in 8 bits', () => {
    expect(txOpaqueProd(setTxOpaque(0, 511, 2), 511)).toBe(1);
    for (const ring of [1, 7, 255]) {
      expect(txOpaqueRing(setTxOpaque(ring, 511, 32))).toBe(ring);
      expect(txOpaqueProd(setTxOpaque(ring, 3, 32), 511)).toBe(35);
    }
  });
});

describe('doorbells', () => {
  const cq = (index: number, more: number): number => DB_KEY_CP | DB_IDX_VALID | more | index;

  test('P4: CQ acknowledge 0x2C000009, arm 0x24000009, RX 0x10000009, TX 0x00000009', () => {
    const values = [cq(9, DB_IRQ_DIS), cq(9, 0), DB_KEY_RX | 9, DB_KEY_TX | 9];
    expect(values).toEqual([0x2c00_0009, 0x2400_0009, 0x1000_0009, 0x0000_0009]);
    expect(values.map(dbKey)).toEqual([2, 2, 1, 0]);
    expect(values.map(dbIndex)).toEqual([9, 9, 9, 9]);
    expect(values.slice(0, 2).map(dbArms)).toEqual([false, true]);
  });

  test('P5: CQ ARM_ALL of ring 3 at index 9 is 0x61000003_00000009, on P7 0x65000003_00000009', () => {
    expect(dbrHi(DBR_TYPE_CQ_ARMALL, 3, DBR_PATH_L2)).toBe(0x6100_0003);
    expect(dbrHi(DBR_TYPE_CQ_ARMALL, 3, DBR_PATH_L2 | DBR_VALID)).toBe(0x6500_0003);
  });

  test('a ring id has 20 bits and a type may have the top bit', () => {
    expect(dbrHi(0xb, 0xf_ffff, DBR_PATH_L2)).toBe(0xb10f_ffff);
    expect(dbrHi(0xb, 0x10_0001, DBR_PATH_L2)).toBe(0xb100_0001);
  });

  test('the epoch is bit 24, and flips each lap of the ring', () => {
    for (const slots of [256, 2048, 32768]) {
      const laps = [0, 1, 2, 3].map((lap) => dbrEpoch(lap * slots + slots - 1, slots));
      expect(laps).toEqual([0, 1 << 24, 0, 1 << 24]);
    }
  });
});

describe('rings', () => {
  test('a completion ring of 2048 entries expects V = 1, 0, 1 at raw 0, 2048, 4096', () => {
    const own = new HostMemory(65536);
    const ring = new CompletionRing(0, AT, 2048, new IrqLine('x', cpu), own, 8, new LookAhead());
    expect([0, 2047, 2048, 4095, 4096].map((raw) => ring.lapV(raw))).toEqual([1, 1, 0, 0, 1]);
    const mem = words();
    for (const raw of [0, 2048, 4096]) {
      expect(ring.slotAt(raw)).toBe(AT);
      const lap = (raw & 2048) === 0 ? 0 : 1;
      expect(cmpValid(mem, AT, lap)).toBe(false); // what the last lap left reads as empty
      txCmpWrite(mem, AT, 0, 0, 0, ring.lapV(raw));
      expect(cmpValid(mem, AT, lap)).toBe(true);
    }
  });

  test('2^n - 1 descriptors waste nothing, one more takes the next power of two', () => {
    const pages = (size: number): number => bnxtCalcNrRingPages(size, DESC_CNT);
    expect([1, 255, 256, 511, 512, 1023, 1024, 2047, 8191].map(pages)).toEqual([
      1, 1, 2, 2, 4, 4, 8, 8, 32,
    ]);
  });

  test.each([
    { rxRing: 511, txRing: 511, slots: 2048 },
    { rxRing: 2047, txRing: 2047, slots: 8192 },
    { rxRing: 8191, txRing: 2047, slots: 32768 },
  ])('RX $rxRing and TX $txRing need $slots completion slots', ({ rxRing, txRing, slots }) => {
    const machine = openMachine(rxRing, txRing);
    const { nic, bp } = machine.nics[0]!;
    expect([bp.cpBit, bp.cpRingMask]).toEqual([slots, slots - 1]);
    for (const cp of nic.completionRings) expect(cp.slots).toBe(slots);
    expect(bp.rxRingMask).toBe(rxRing); // a ring of 2^n - 1 has 2^n slots
    machine.close();
  });

  test('a ring is a power of two of at least 256 slots', () => {
    for (const good of [256, 512, 32768]) expect(checkedSlots('ring', good)).toBe(good);
    for (const bad of [0, 128, 257, 511, 768, -256]) {
      expect(() => checkedSlots('ring', bad)).toThrow(/^ring: .*power of two of at least 256/);
    }
  });
});

/** One NIC, one queue, opened and idle. */
function openMachine(rxRing: number, txRing: number): Machine {
  const silent: CaseTraffic = {
    ...{ pattern: 'constant', gapNs: 100, burst: 1, count: 0, flows: 1, tags: 0, oddEvery: 0 },
  };
  const nic: CaseNic = {
    ...{ queues: 1, rxRing, txRing, rxUsecs: 10, rxFrames: 15, txUsecs: 28, txFrames: 30 },
    ...{ rxvlan: true, affinity: [0], program: 'none', traffic: silent, wireNs: 10 },
  };
  const c: Case = {
    ...{ seed: 1, cpus: 1, budget: 64, netdevBudget: 300, hz: 1000, unitNs: 0, pausesNs: [] },
    timing: { rxDmaNs: 700, rxDmaSlotNs: 2, txFetchNs: 900, txCompleteNs: 400, msixNs: 500 },
    nics: [nic],
  };
  const machine = new Machine(machineConfig(c), 0);
  machine.open();
  return machine;
}
