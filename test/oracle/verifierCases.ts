/**
 * Programs for both verifiers. Map 0: an array of one value of 48 bytes; map 1: a hash; map 2: a
 * ringbuf; map 3: a program array.
 */
import type { AsmLine } from '../../src/xdp/isa/asm.ts';
import { REGS, asm, assemble } from '../../src/xdp/isa/asm.ts';
import type { Insn } from '../../src/xdp/isa/insn.ts';
import type { OracleMap } from './oracle.ts';
import type { VerifierCase } from './verifierJudge.ts';

const R0 = REGS[0]!;
const R1 = REGS[1]!;
const R2 = REGS[2]!;
const R3 = REGS[3]!;
const R4 = REGS[4]!;
const R6 = REGS[6]!;
const R10 = REGS[10]!;

const MAPS: readonly OracleMap[] = [
  { type: 2, keySize: 4, valueSize: 48, maxEntries: 1 },
  { type: 1, keySize: 8, valueSize: 48, maxEntries: 4 },
  { type: 27, keySize: 0, valueSize: 0, maxEntries: 4096 },
  { type: 3, keySize: 4, valueSize: 4, maxEntries: 4 },
];
const LOOKUP = 1;
const CPU = 8;
const TAIL_CALL = 12;
const RINGBUF_RESERVE = 131;
const RINGBUF_SUBMIT = 132;
const RINGBUF_RESERVE_DYNPTR = 198;
const RINGBUF_SUBMIT_DYNPTR = 199;
const NUM_ITER = ['bpf_iter_num_new', 'bpf_iter_num_next', 'bpf_iter_num_destroy'];

type Lines = readonly (AsmLine | readonly AsmLine[])[];

const make = (name: string, lines: Lines, rest: Partial<VerifierCase> = {}): VerifierCase => ({
  name,
  insns: assemble(lines),
  logLevel: 2,
  maps: MAPS,
  ...rest,
});

const PASS: Lines = [asm.mov(R0, 2), asm.exit()];
/** r2: the packet, r3: its end; the next is skipped when fewer than `bytes` are there. */
const packet = (bytes: number): Lines => [
  asm.load('u32', R2, R1, 0),
  asm.load('u32', R3, R1, 4),
  asm.mov(R4, R2),
  asm.add(R4, bytes),
  asm.jgt(R4, R3, 'out'),
];
/** r1: map, r2: its key on the stack. */
const lookup = (map: number): Lines => [
  asm.store('u64', R10, -8, 0),
  asm.mov(R2, R10),
  asm.add(R2, -8),
  asm.mapPtr(R1, map),
  asm.call(LOOKUP),
];
/** r1: the iterator at fp-8. */
const ITER: Lines = [asm.mov(R1, R10), asm.add(R1, -8)];

const raw = (code: number, dst: number, src: number, off = 0, imm = 0): Insn => ({
  ...{ code, dst, src, off, imm },
});
const KFUNC_OF_NO_NUMBER = raw(0x85, 0, 2);

export const VERIFIER_CASES: readonly VerifierCase[] = [
  {
    ...{ name: 'kernel function number 0', logLevel: 2 },
    insns: [KFUNC_OF_NO_NUMBER, raw(0xb7, 0, 0), raw(0x95, 0, 0)],
  },
  {
    ...{ name: 'kernel function number 0, never reached', logLevel: 2 },
    insns: [
      ...[raw(0xb7, 0, 0), raw(0x15, 0, 0, 1), KFUNC_OF_NO_NUMBER],
      ...[raw(0xb7, 0, 0), raw(0x95, 0, 0)],
    ],
  },
  {
    ...{ name: 'ld_imm64 of a type that is no variable', logLevel: 2 },
    insns: [raw(0x18, 1, 3, 0, 1), raw(0, 0, 0), raw(0xb7, 0, 0), raw(0x95, 0, 0)],
  },
  {
    ...{ name: 'two cgroup storages', logLevel: 2 },
    maps: [0, 1].map(() => ({ type: 19, keySize: 16, valueSize: 8, maxEntries: 0 })),
    insns: [
      ...[raw(0x18, 1, 1), raw(0, 0, 0), raw(0x18, 1, 1, 0, 1), raw(0, 0, 0)],
      ...[raw(0xb7, 0, 0), raw(0x95, 0, 0)],
    ],
  },
  make('returns a number', PASS),
  make('no exit', [asm.mov(R0, 2)]),
  make('reads a register never set', [asm.mov(R0, R2), asm.exit()]),
  make('cannot be reached', [...PASS, ...PASS]),
  make('packet, enough bytes', [
    ...packet(14),
    asm.load('u16', R0, R2, 12),
    asm.label('out'),
    ...PASS,
  ]),
  make('packet, one byte too few', [
    ...packet(13),
    asm.load('u16', R0, R2, 12),
    asm.label('out'),
    ...PASS,
  ]),
  make('value at an offset', [
    ...lookup(1),
    asm.jeq(R0, 0, 'out'),
    asm.load('u64', R1, R0, 40),
    asm.and(R1, 31),
    asm.add(R0, R1),
    asm.load('u8', R1, R0, 16),
    asm.label('out'),
    ...PASS,
  ]),
  make('value behind its end', [
    ...lookup(1),
    asm.jeq(R0, 0, 'out'),
    asm.load('u64', R1, R0, 40),
    asm.and(R1, 31),
    asm.add(R0, R1),
    asm.load('u8', R1, R0, 17),
    asm.label('out'),
    ...PASS,
  ]),
  make('value that may be missing', [...lookup(1), asm.load('u64', R1, R0, 40), ...PASS]),
  make('value of an array', [
    asm.store('u32', R10, -4, 0),
    asm.mov(R2, R10),
    asm.add(R2, -4),
    asm.mapPtr(R1, 0),
    asm.call(LOOKUP),
    asm.load('u64', R1, R0, 40),
    ...PASS,
  ]),
  make('loop of 100 turns', [
    asm.mov(R6, 0),
    asm.label('turn'),
    asm.add(R6, 1),
    asm.jlt(R6, 100, 'turn'),
    ...PASS,
  ]),
  make('loop without end', [
    asm.mov(R6, 0),
    asm.label('turn'),
    asm.add(R6, 0),
    asm.jlt(R6, 100, 'turn'),
    ...PASS,
  ]),
  make('loop of may_goto', [
    asm.mov(R6, 0),
    asm.label('turn'),
    asm.mayGoto('out'),
    asm.add(R6, 1),
    asm.ja('turn'),
    asm.label('out'),
    ...PASS,
  ]),
  make(
    'loop of an iterator',
    [
      ...ITER,
      asm.mov(R2, 0),
      asm.mov(R3, 10),
      asm.callKfunc(0),
      asm.label('turn'),
      ...ITER,
      asm.callKfunc(1),
      asm.jeq(R0, 0, 'out'),
      asm.load('u32', R6, R0, 0),
      asm.ja('turn'),
      asm.label('out'),
      ...ITER,
      asm.callKfunc(2),
      ...PASS,
    ],
    { kfuncs: NUM_ITER },
  ),
  make('call of a function', [
    asm.mov(R6, R1),
    asm.mov(R2, 5),
    asm.callLocal('f'),
    asm.load('u32', R0, R6, 0),
    ...PASS,
    asm.label('f'),
    asm.mov(R0, R2),
    asm.store('u64', R10, -8, R2),
    asm.exit(),
  ]),
  make('ringbuf record', [
    asm.mapPtr(R1, 2),
    asm.mov(R2, 16),
    asm.mov(R3, 0),
    asm.call(RINGBUF_RESERVE),
    asm.jeq(R0, 0, 'out'),
    asm.store('u64', R0, 0, 5),
    asm.mov(R1, R0),
    asm.mov(R2, 0),
    asm.call(RINGBUF_SUBMIT),
    asm.label('out'),
    ...PASS,
  ]),
  make('ringbuf record kept', [
    asm.mapPtr(R1, 2),
    asm.mov(R2, 16),
    asm.mov(R3, 0),
    asm.call(RINGBUF_RESERVE),
    asm.jeq(R0, 0, 'out'),
    asm.store('u64', R0, 0, 5),
    asm.label('out'),
    ...PASS,
  ]),
  make('tail call', [asm.mapPtr(R2, 3), asm.mov(R3, 1), asm.call(TAIL_CALL), ...PASS]),
  make('stack at a variable offset', [
    asm.load('u32', R2, R1, 16),
    asm.and(R2, 7),
    asm.mov(R3, R10),
    asm.sub(R3, R2),
    asm.load('u8', R0, R3, -8),
    ...PASS,
  ]),
  make('pointer spilled and filled', [
    asm.store('u64', R10, -8, R1),
    asm.load('u64', R2, R10, -8),
    asm.load('u32', R0, R2, 0),
    ...PASS,
  ]),
  make('number of the CPU', [
    asm.call(CPU),
    asm.jgt(R0, 5, 'out'),
    asm.mov(R0, 1),
    asm.label('out'),
    asm.exit(),
  ]),
  make('atomic add on the stack', [
    asm.mov(R1, 1),
    asm.store('u64', R10, -8, 0),
    asm.atomic('add', 'u64', R10, -8, R1),
    ...PASS,
  ]),
  make('division and remainder', [
    asm.load('u32', R2, R1, 16),
    asm.mov(R0, R2),
    asm.div(R0, 3),
    asm.mod32(R0, R2),
    asm.exit(),
  ]),
  make('bytes turned round', [
    asm.load('u32', R2, R1, 16),
    asm.and(R2, 0xff00),
    asm.be(32, R2),
    asm.bswap(64, R2),
    ...PASS,
  ]),
  make('linked by a subtraction', [
    asm.load('u32', R2, R1, 16),
    asm.mov(R3, R2),
    asm.sub(R3, 4),
    asm.jlt(R2, 10, 'out'),
    asm.mov(R4, R3),
    asm.label('out'),
    ...PASS,
  ]),
  make('linked by a 32-bit sum', [
    asm.load('u32', R2, R1, 16),
    asm.mov(R3, R2),
    asm.add32(R3, 4),
    asm.jlt(R2, 10, 'out'),
    asm.mov(R4, R3),
    asm.label('out'),
    ...PASS,
  ]),
  make('mask of all ones or none', [
    asm.load('u32', R2, R1, 16),
    asm.lsh(R2, 63),
    asm.arsh(R2, 63),
    asm.and(R2, 14),
    ...PASS,
  ]),
  make('register compared with itself', [
    asm.load('u32', R2, R1, 16),
    asm.jge(R2, R2, 'out'),
    asm.mov(R3, R2),
    asm.label('out'),
    ...PASS,
  ]),
  make('ringbuf dynptr', [
    asm.mapPtr(R1, 2),
    asm.mov(R2, 16),
    asm.mov(R3, 0),
    asm.mov(R4, R10),
    asm.add(R4, -16),
    asm.call(RINGBUF_RESERVE_DYNPTR),
    asm.mov(R1, R10),
    asm.add(R1, -16),
    asm.mov(R2, 0),
    asm.call(RINGBUF_SUBMIT_DYNPTR),
    ...PASS,
  ]),
  make('ringbuf dynptr kept', [
    asm.mapPtr(R1, 2),
    asm.mov(R2, 16),
    asm.mov(R3, 0),
    asm.mov(R4, R10),
    asm.add(R4, -16),
    asm.call(RINGBUF_RESERVE_DYNPTR),
    ...PASS,
  ]),
  make(
    'loop inside a loop of an iterator',
    [
      ...ITER,
      asm.mov(R2, 0),
      asm.mov(R3, 10),
      asm.callKfunc(0),
      asm.label('turn'),
      ...ITER,
      asm.callKfunc(1),
      asm.jeq(R0, 0, 'out'),
      asm.mov(R6, 0),
      asm.label('inner'),
      asm.mayGoto('turn'),
      asm.add(R6, 1),
      asm.jlt(R6, 5, 'inner'),
      asm.ja('turn'),
      asm.label('out'),
      ...ITER,
      asm.callKfunc(2),
      ...PASS,
    ],
    { kfuncs: NUM_ITER },
  ),
  make(
    'iterator not destroyed',
    [...ITER, asm.mov(R2, 0), asm.mov(R3, 10), asm.callKfunc(0), ...PASS],
    {
      kfuncs: NUM_ITER,
    },
  ),
  make('rcu section nested', [asm.callKfunc(0), asm.callKfunc(0), asm.callKfunc(1), ...PASS], {
    kfuncs: ['bpf_rcu_read_lock', 'bpf_rcu_read_unlock'],
  }),
  make('interrupt flag not restored', [...ITER, asm.callKfunc(0), ...PASS], {
    kfuncs: ['bpf_local_irq_save'],
  }),
  make('pointer leaked without CAP_PERFMON', [asm.mov(R0, R10), asm.exit()], { caps: 'noperfmon' }),
];
