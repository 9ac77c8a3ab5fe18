/** Accessors and the cold field tables describe one layout, and nothing outside it is touched. */
import { expect, test } from 'vitest';
import { Cpu } from '../../../src/host/cpu.ts';
import { OP_COUNT } from '../../../src/host/cost.ts';
import {
  RX_BD_FIELDS,
  RX_BD_FLAGS_EOP,
  RX_BD_TYPE_RX_PACKET_BD,
  rxBdHaddr,
  rxBdInit,
  rxBdLen,
  rxBdOpaque,
  rxBdPost,
} from '../../../src/nic/hsi/rxBd.ts';
import {
  RX_CMP_EXT_FIELDS,
  RX_CMP_FIELDS,
  cmpType,
  cmpValid,
  rxCmpAggBufs,
  rxCmpEncap,
  rxCmpExtErrors,
  rxCmpExtFlags2,
  rxCmpExtForceErrors,
  rxCmpExtMetaData,
  rxCmpExtWrite,
  rxCmpFlags,
  rxCmpL2Errors,
  rxCmpL4CsErr,
  rxCmpL4CsOk,
  rxCmpLen,
  rxCmpMisc,
  rxCmpOpaque,
  rxCmpPayloadOffset,
  rxCmpRssHash,
  rxCmpWrite,
} from '../../../src/nic/hsi/rxCmp.ts';
import {
  TX_BD_FIELDS,
  txBdCount,
  txBdFlags,
  txBdHaddr,
  txBdLen,
  txBdOpaque,
  txBdPost,
} from '../../../src/nic/hsi/txBd.ts';
import {
  BNXT_NQ_HDL_TYPE_TX,
  NQE_CN_FIELDS,
  NQ_CN_TYPE_CQ_NOTIFICATION,
  bnxtNqHdlIdx,
  bnxtNqHdlType,
  bnxtSetNqHdl,
  nqeCnHandle,
  nqeCnToggle,
  nqeCnType,
  nqeCnWrite,
} from '../../../src/nic/hsi/nq.ts';
import {
  CMP_TYPE_TX_L2_COAL_CMP,
  TX_CMP_FIELDS,
  txCmpOpaque,
  txCmpSqConsIdx,
  txCmpWrite,
} from '../../../src/nic/hsi/txCmp.ts';
import {
  TX_BD_EXT_FIELDS,
  txBdCfaMetaTci,
  txBdExtCfaMeta,
  txBdExtLflags,
  txBdExtPost,
} from '../../../src/nic/hsi/txBdExt.ts';
import { AT, EXT, fieldNamed, fieldsAt, misplaced, words, writeField } from './layout.ts';

const cpu = new Cpu(0, new Float64Array(OP_COUNT));

/** Only the 16 bytes at `at` may have changed. */
function expectOnly(mem: Int32Array, ...at: number[]): void {
  mem.forEach((word, i) => {
    if (!at.some((a) => i >= a >> 2 && i < (a + 16) >> 2)) expect(word).toBe(0);
  });
}

test.each([
  ['rx_bd', RX_BD_FIELDS],
  ['rx_cmp', RX_CMP_FIELDS],
  ['rx_cmp_ext', RX_CMP_EXT_FIELDS],
  ['tx_bd', TX_BD_FIELDS],
  ['tx_bd_ext', TX_BD_EXT_FIELDS],
  ['tx_cmp', TX_CMP_FIELDS],
  ['nqe_cn', NQE_CN_FIELDS],
])('the fields of %s lie within 16 bytes and do not overlap', (_, fields) => {
  expect(misplaced(fields)).toEqual([]);
});

test('rx_bd: what the driver writes is what the table and the NIC read', () => {
  const mem = words();
  rxBdInit(mem, AT, RX_BD_FLAGS_EOP | RX_BD_TYPE_RX_PACKET_BD, 1536, 0x1f7);
  rxBdPost(cpu, mem, AT, 0x7ffe_f100);
  expect(fieldsAt(mem, AT, RX_BD_FIELDS)).toEqual({
    ...{ type: 4, sop: 0, eop: 1, buffers: 0, len: 1536, opaque: 0x1f7 },
    ...{ haddrLo: 0x7ffe_f100, haddrHi: 0 },
  });
  expect([rxBdLen(mem, AT), rxBdOpaque(mem, AT), rxBdHaddr(mem, AT)]).toEqual([
    1536, 0x1f7, 0x7ffe_f100,
  ]);
  expectOnly(mem, AT);
});

test('rx_bd: posting a buffer rewrites its address and nothing else', () => {
  const mem = words();
  mem.fill(-1, AT >> 2, (AT + 16) >> 2);
  rxBdPost(cpu, mem, AT, 0x1000);
  expect([...mem.subarray(AT >> 2, (AT + 16) >> 2)]).toEqual([-1, -1, 0x1000, -1]);
});

test('tx_bd: what the driver writes is what the table and the NIC read', () => {
  const mem = words();
  txBdPost(cpu, mem, AT, 1514, (2 << 13) | (1 << 12) | (1 << 6), 0x0312_00ff, 0x0123_4568);
  expect(fieldsAt(mem, AT, TX_BD_FIELDS)).toEqual({
    ...{ type: 0, packetEnd: 1, noCmpl: 0, bdCnt: 16, lhint: 2, coalNow: 0, len: 1514 },
    ...{ opaqueIdx: 0xff, opaqueBds: 0x12, opaqueRing: 3, haddrLo: 0x0123_4568, haddrHi: 0 },
  });
  expect([txBdLen(mem, AT), txBdCount(mem, AT), txBdFlags(mem, AT)]).toEqual([1514, 16, 0x5040]);
  expect([txBdOpaque(mem, AT), txBdHaddr(mem, AT)]).toEqual([0x0312_00ff, 0x0123_4568]);
  expectOnly(mem, AT);
});

test('tx_bd_ext: what the driver writes is what the table and the NIC read', () => {
  const mem = words();
  txBdExtPost(mem, AT, 1, (1 << 28) | (1 << 16) | 0x6007);
  expect(fieldsAt(mem, AT, TX_BD_EXT_FIELDS)).toEqual({
    ...{ tcpUdpChksum: 1, ipCksum: 0, lso: 0, hsize: 0, mss: 0, cfaAction: 0 },
    ...{ vlanTci: 0x6007, tpid: 1, key: 1 },
  });
  expect(txBdExtLflags(mem, AT)).toBe(1);
  expect(txBdCfaMetaTci(txBdExtCfaMeta(mem, AT))).toBe(0x6007);
  expectOnly(mem, AT);
});

test('tx_bd: a count field of 0 means 32 descriptors', () => {
  const mem = words();
  writeField(mem, AT, fieldNamed(TX_BD_FIELDS, 'bdCnt'), 0);
  expect(txBdCount(mem, AT)).toBe(32);
  writeField(mem, AT, fieldNamed(TX_BD_FIELDS, 'bdCnt'), 31);
  expect(txBdCount(mem, AT)).toBe(31);
});

test('tx_cmp: both ways, in both types', () => {
  const mem = words();
  txCmpWrite(mem, AT, CMP_TYPE_TX_L2_COAL_CMP, 0x0002_0005, 0xabcdef, 1);
  expect(fieldsAt(mem, AT, TX_CMP_FIELDS)).toEqual({
    ...{ type: 2, error: 0, push: 0, opaque: 0x0002_0005, v: 1, bufferError: 0 },
    sqConsIdx: 0xabcdef,
  });
  expect([cmpType(mem, AT), txCmpOpaque(mem, AT), txCmpSqConsIdx(mem, AT)]).toEqual([
    2, 0x0002_0005, 0xabcdef,
  ]);
  writeField(mem, AT, { name: 'above', byte: 12, hi: 31, lo: 24, means: '' }, 0xff);
  expect(txCmpSqConsIdx(mem, AT)).toBe(0xabcdef); // 24 bits
  expectOnly(mem, AT);
});

test('nqe_cn: what the NIC writes is what the table and the driver read', () => {
  const mem = words();
  const handle = bnxtSetNqHdl(BNXT_NQ_HDL_TYPE_TX, 5);
  expect(handle).toBe(0x0100_0005);
  nqeCnWrite(mem, AT, handle, 6, 1); // two bits of toggle
  expect(fieldsAt(mem, AT, NQE_CN_FIELDS)).toEqual({
    ...{ type: 0x30, toggle: 2, index: 5, kind: 1, v: 1 },
  });
  expect([nqeCnType(mem, AT), nqeCnToggle(mem, AT)]).toEqual([NQ_CN_TYPE_CQ_NOTIFICATION, 2]);
  const read = nqeCnHandle(mem, AT);
  expect([bnxtNqHdlType(read), bnxtNqHdlIdx(read)]).toEqual([BNXT_NQ_HDL_TYPE_TX, 5]);
  expect([cmpValid(mem, AT, 0), cmpValid(mem, AT, 1)]).toEqual([true, false]);
  expectOnly(mem, AT);
});

test('rx_cmp: what the NIC writes is what the table and the driver read', () => {
  const mem = words();
  rxCmpWrite(mem, AT, (60 << 16) | (3 << 12) | (1 << 10), 510, 0x9abc_def0 | 0, rxCmpMisc(42), 1);
  rxCmpExtWrite(mem, EXT, 0x113, (0x8100 << 16) | 0x6005, 0x30, 1);
  expect(fieldsAt(mem, AT, RX_CMP_FIELDS)).toEqual({
    ...{ type: 17, error: 0, placement: 0, rssValid: 1, itype: 3, len: 60, opaque: 510 },
    ...{ v1: 1, aggBufs: 0, payloadOffset: 42, rssHash: 0x9abc_def0 },
  });
  expect(fieldsAt(mem, EXT, RX_CMP_EXT_FIELDS)).toEqual({
    ...{ ipCsCalc: 1, l4CsCalc: 1, tIpCsCalc: 0, tL4CsCalc: 0, metaVlan: 1, ipTypeV6: 1 },
    ...{ tci: 0x6005, tpid: 0x8100, v: 1, bufferError: 0, ipCsError: 1, l4CsError: 1 },
    ...{ crcError: 0, cfaCode: 0, timestamp: 0 },
  });
  expectOnly(mem, AT, EXT);
});

test.each([
  ['len', 0x5ee, rxCmpLen],
  ['opaque', 0x1fe, rxCmpOpaque],
  ['payloadOffset', 0xfe, rxCmpPayloadOffset],
  ['aggBufs', 31, rxCmpAggBufs],
  ['rssHash', 0xfedc_ba98, rxCmpRssHash],
  ['type', 23, cmpType],
])('rx_cmp: the driver reads %s where the table says, and nowhere else', (name, value, read) => {
  const mem = words();
  const f = fieldNamed(RX_CMP_FIELDS, name);
  mem.fill(-1);
  writeField(mem, AT, f, 0);
  expect(read(mem, AT)).toBe(0);
  mem.fill(0);
  writeField(mem, AT, f, value);
  expect(read(mem, AT)).toBe(value);
});

test('rx_cmp: flags are the lower half of the first word', () => {
  const mem = words();
  writeField(mem, AT, fieldNamed(RX_CMP_FIELDS, 'itype'), 2);
  writeField(mem, AT, fieldNamed(RX_CMP_FIELDS, 'len'), 0xffff);
  writeField(mem, AT, fieldNamed(RX_CMP_FIELDS, 'error'), 1);
  expect(rxCmpFlags(mem, AT)).toBe((2 << 12) | (1 << 6));
});

test('rx_cmp_ext: buffer and CRC errors are L2 errors, checksum errors are not', () => {
  const l2 = (name: string, value: number): boolean => {
    const mem = words();
    writeField(mem, EXT, fieldNamed(RX_CMP_EXT_FIELDS, name), value);
    return rxCmpL2Errors(mem, EXT) !== 0;
  };
  for (const value of [1, 2, 3]) expect(l2('bufferError', value)).toBe(true);
  expect(l2('crcError', 1)).toBe(true);
  for (const name of ['v', 'ipCsError', 'l4CsError']) expect(l2(name, 1)).toBe(false);
  expect(l2('cfaCode', 0xffff)).toBe(false);
});

test.each([
  { calc: [], errors: [], ok: false, err: false, encap: 0 },
  { calc: ['l4CsCalc'], errors: [], ok: true, err: false, encap: 0 },
  { calc: ['ipCsCalc'], errors: [], ok: false, err: false, encap: 0 },
  { calc: ['tL4CsCalc'], errors: [], ok: true, err: false, encap: 1 },
  { calc: ['l4CsCalc'], errors: ['l4CsError'], ok: false, err: true, encap: 0 },
  { calc: ['l4CsCalc'], errors: ['ipCsError'], ok: true, err: false, encap: 0 },
])('rx_cmp_ext: $calc calculated and $errors wrong', ({ calc, errors, ok, err, encap }) => {
  const mem = words();
  for (const name of [...calc, ...errors]) {
    writeField(mem, EXT, fieldNamed(RX_CMP_EXT_FIELDS, name), 1);
  }
  expect([rxCmpL4CsOk(mem, EXT), rxCmpL4CsErr(mem, EXT), rxCmpEncap(mem, EXT)]).toEqual([
    ok,
    err,
    encap,
  ]);
});

test('rx_cmp_ext: words as a whole, and errors forced in later', () => {
  const mem = words();
  rxCmpExtWrite(mem, EXT, 0x12, 0x88a8_0005 | 0, 1 << 4, 1);
  expect(rxCmpExtFlags2(mem, EXT)).toBe(0x12);
  expect(rxCmpExtMetaData(mem, EXT) >>> 0).toBe(0x88a8_0005);
  rxCmpExtForceErrors(mem, EXT, 1 << 8);
  expect(rxCmpExtErrors(mem, EXT)).toBe((1 << 8) | (1 << 4) | 1);
});

test('the valid bit of any entry is bit 0 of its third word', () => {
  const mem = words();
  mem[(AT + 8) >> 2] = 1;
  expect([cmpValid(mem, AT, 0), cmpValid(mem, AT, 1)]).toEqual([true, false]);
  mem.fill(-2);
  expect([cmpValid(mem, AT, 0), cmpValid(mem, AT, 1)]).toEqual([false, true]);
});
