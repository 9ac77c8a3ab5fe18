/**
 * Every helper and kernel function, with every kind of value in each of its arguments in turn: programs
 * that hold what prototypes say against the kernel.
 *
 * Before the call: r6 context, 64 bytes of zeroes at fp-64, and what the values need.
 */
import { kfuncByImm } from '../../src/xdp/helpers/kfuncProtos.ts';
import type { KfuncProto } from '../../src/xdp/helpers/kfuncProtos.ts';
import { BPF_FUNC_MAX_ID, funcIdName } from '../../src/xdp/helpers/helperNames.ts';
import * as arg from '../../src/xdp/helpers/protos.ts';
import { baseType } from '../../src/xdp/verifier/regTypes.ts';
import { CASE_MAPS } from './caseMaps.ts';

interface Kind {
  /** Instructions that make the value. */
  readonly made: readonly string[];
  /** And those that put it into the register `R`. */
  readonly put: readonly string[];
  /** Functions behind the program. */
  readonly after?: readonly string[];
}

const put = (...lines: string[]): Kind => ({ made: [], put: lines });
const value = (map: string, ...more: string[]): Kind => ({
  made: [`lookup ${map}`, 'if r0 == 0 goto out', 'r7 = r0', ...more],
  put: ['R = r7'],
});
const packet = (off: number): Kind => ({
  made: [
    ...['r9 = *(u32 *)(r6 + 0)', 'r3 = *(u32 *)(r6 + 4)', 'r4 = r9', 'r4 += 64'],
    'if r4 > r3 goto out',
  ],
  put: ['R = r9', `R += ${off}`],
});
const number = (...more: string[]): Kind => ({
  made: ['call get_prandom_u32', 'r8 = r0', ...more],
  put: ['R = r8'],
});
const reserved = (...more: string[]): Kind => ({
  made: ['r1 = map ringbuf', 'r2 = 64', 'r3 = 0', 'call ringbuf_reserve', ...more, 'r9 = r0'],
  put: ['R = r9'],
});
const socket = (helper: string, ...more: string[]): Kind => ({
  made: [
    ...['r1 = r6', 'r2 = r10', 'r2 += -64', 'r3 = 12', 'r4 = -1', 'r5 = 0', `call ${helper}`],
    ...[...more, 'r8 = r0'],
  ],
  put: ['R = r8'],
});
const object = (...made: string[]): Kind => ({
  made: [...made, 'if r0 == 0 goto out', 'r9 = r0'],
  put: ['R = r9'],
});
const connection = (kfunc: string): Kind =>
  object(
    ...['r1 = r6', 'r2 = r10', 'r2 += -64', 'r3 = 12', 'r4 = r10', 'r4 += -64', 'r5 = 16'],
    `call kfunc ${kfunc}`,
  );
const slot = (off: number, ...made: string[]): Kind => ({ made, put: ['R = r10', `R += ${off}`] });
const iterator = (name: string): Kind =>
  slot(-224, 'r1 = r10', 'r1 += -224', 'r2 = 0', 'r3 = 2', `call kfunc bpf_iter_${name}_new`);
const SKIP_NULL = 'if r0 == 0 goto out';

const KINDS: Readonly<Record<string, Kind>> = {
  nothing: put(),
  ctx: put('R = r6'),
  ctxMoved: put('R = r6', 'R += 4'),
  stack: slot(-64),
  stackUnset: slot(-192),
  stackTop: slot(0),
  stack4: slot(-4),
  stackOdd: slot(-63),
  value: value('array'),
  valueEnd: { made: value('array').made, put: ['R = r7', 'R += 40'] },
  valueMoved: value('array', 'r1 = *(u8 *)(r7 + 0)', 'r1 &= 15', 'r7 += r1'),
  valueOrNull: { made: ['lookup hash', 'r7 = r0'], put: ['R = r7'] },
  valueRead: value('readOnlyArray'),
  valueWritten: value('writeOnly'),
  packet: packet(0),
  packetEnd: packet(60),
  packetMeta: put('R = *(u32 *)(r6 + 8)'),
  packetLimit: put('R = *(u32 *)(r6 + 4)'),
  ...Object.fromEntries([0, 1, 4, 16, 64, 100, -1].map((n) => [`is${n}`, put(`R = ${n}`)])),
  wide: put('R = 0x100000008 ll'),
  number: number(),
  upTo15: number('r8 &= 15'),
  from1: number('r8 &= 15', 'r8 += 1'),
  negative: { made: ['call ktime_get_ns', 'r8 = r0', 'if r8 s> 16 goto out'], put: ['R = r8'] },
  text: put('R = value readOnly+8'),
  textEnd: put('R = value readOnly+15'),
  direct: put('R = value array+0'),
  func: { made: [], put: ['R = func callback'], after: ['callback:', 'r0 = 0', 'exit'] },
  record: reserved(SKIP_NULL),
  recordOrNull: reserved(),
  socket: socket('sk_lookup_tcp', SKIP_NULL),
  socketOrNull: socket('sk_lookup_tcp'),
  socketCommon: socket('skc_lookup_tcp', SKIP_NULL),
  socketTcp: socket('skc_lookup_tcp', SKIP_NULL, 'r1 = r0', 'call skc_to_tcp_sock', SKIP_NULL),
  dynptrRing: slot(
    -208,
    ...['r1 = map ringbuf', 'r2 = 64', 'r3 = 0', 'r4 = r10', 'r4 += -208'],
    'call ringbuf_reserve_dynptr',
  ),
  dynptrLocal: slot(
    -208,
    ...['lookup array', SKIP_NULL, 'r1 = r0', 'r2 = 48', 'r3 = 0', 'r4 = r10', 'r4 += -208'],
    'call dynptr_from_mem',
  ),
  dynptrXdp: slot(
    -208,
    ...['r1 = r6', 'r2 = 0', 'r3 = r10', 'r3 += -208', 'call kfunc bpf_dynptr_from_xdp'],
  ),
  dynptrInside: slot(
    -200,
    ...['r1 = r6', 'r2 = 0', 'r3 = r10', 'r3 += -208', 'call kfunc bpf_dynptr_from_xdp'],
  ),
  iterNum: iterator('num'),
  iterBits: slot(
    -224,
    ...['r1 = r10', 'r1 += -224', 'r2 = r10', 'r2 += -64', 'r3 = 1'],
    'call kfunc bpf_iter_bits_new',
  ),
  irqFlag: slot(-232, 'r1 = r10', 'r1 += -232', 'call kfunc bpf_local_irq_save'),
  frame: object('r1 = r6', 'call kfunc bpf_cast_to_kern_ctx'),
  task: object('r1 = 1', 'call kfunc bpf_task_from_pid'),
  current: object('call get_current_task_btf'),
  cgroup: object('r1 = 1', 'call kfunc bpf_cgroup_from_id'),
  key: object('r1 = 1', 'call kfunc bpf_lookup_system_key'),
  connection: connection('bpf_xdp_ct_lookup'),
  connectionNew: connection('bpf_xdp_ct_alloc'),
  cast: object('r1 = r6', 'r2 = 0', 'call kfunc bpf_rdonly_cast'),
  ...Object.fromEntries(Object.keys(CASE_MAPS).map((map) => [`map ${map}`, put(`R = map ${map}`)])),
};

const MAP_BY_NAME: readonly (readonly [RegExp, string])[] = [
  [/user_ringbuf/, 'userRingbuf'],
  [/ringbuf/, 'ringbuf'],
  [/perf_event/, 'perf'],
  [/tail_call/, 'progs'],
  [/redirect_map/, 'devmap'],
  [/push|pop|peek/, 'queue'],
  [/cgroup/, 'cgroups'],
  [/percpu/, 'percpu'],
];

/** A value that a helper's argument takes. */
function fits(name: string, type: number): string {
  switch (baseType(type)) {
    case arg.ARG_CONST_MAP_PTR:
      return `map ${MAP_BY_NAME.find(([pattern]) => pattern.test(name))?.[1] ?? 'hash'}`;
    case arg.ARG_PTR_TO_MAP_KEY:
    case arg.ARG_PTR_TO_MAP_VALUE:
    case arg.ARG_PTR_TO_MEM:
      return 'stack';
    case arg.ARG_CONST_SIZE:
    case arg.ARG_CONST_SIZE_OR_ZERO:
    case arg.ARG_CONST_ALLOC_SIZE_OR_ZERO:
      return 'is16';
    case arg.ARG_PTR_TO_CTX:
      return 'ctx';
    case arg.ARG_PTR_TO_SOCK_COMMON:
    case arg.ARG_PTR_TO_BTF_ID_SOCK_COMMON:
      return 'socket';
    case arg.ARG_PTR_TO_BTF_ID:
      return 'current';
    case arg.ARG_PTR_TO_RINGBUF_MEM:
      return 'record';
    case arg.ARG_PTR_TO_FUNC:
      return 'func';
    case arg.ARG_PTR_TO_CONST_STR:
      return 'text';
    case arg.ARG_PTR_TO_TIMER:
      return 'value';
    case arg.ARG_PTR_TO_DYNPTR:
      return /from_mem|reserve/.test(name) ? 'stackUnset' : 'dynptrRing';
    default:
      return 'is0';
  }
}

const OBJECTS: Readonly<Record<string, string>> = {
  task_struct: 'task',
  cgroup: 'cgroup',
  bpf_key: 'key',
  nf_conn: 'connection',
  nf_conn___init: 'connectionNew',
  bpf_map: 'map hash',
};

/** A value that a kernel function's argument takes. */
function kfuncFits(kfunc: KfuncProto, index: number): string {
  const one = kfunc.args[index]!;
  switch (one.kind) {
    case 'ctx':
      return 'ctx';
    case 'iter':
      if (kfunc.iter === 'new') return 'stackUnset';
      return kfunc.iterName === 'bits' ? 'iterBits' : 'iterNum';
    case 'dynptr':
      return one.uninit ? 'stackUnset' : 'dynptrXdp';
    case 'mem':
    case 'memOf':
    case 'ignored':
      return 'stack';
    case 'size':
      return kfunc.args[index - 1]!.kind === 'mem' && index === 2 ? 'is64' : 'is16';
    case 'irqFlag':
      return kfunc.name.endsWith('save') ? 'stackUnset' : 'irqFlag';
    case 'struct':
      return OBJECTS[one.struct] ?? 'task';
    default:
      return 'is0';
  }
}

function program(name: string, call: string, kinds: readonly string[]): string {
  const used = kinds.map((kind) => KINDS[kind]!);
  const made = new Set(used.map((kind) => kind.made.join('\n')));
  const after = new Set(used.flatMap((kind) => (kind.after ? [kind.after.join('\n')] : [])));
  const zeroes = [64, 56, 48, 40, 32, 24, 16, 8].map((off) => `*(u64 *)(r10 - ${off}) = 0`);
  const args = used.flatMap((kind, i) =>
    kind.put.map((line) => line.replace(/\bR\b/, `r${i + 1}`)),
  );
  const lines = [`== ${name}`, 'r6 = r1', ...zeroes, ...made, ...args, call];
  return [...lines, 'out:', 'r0 = 0', 'exit', ...after].filter((line) => line !== '').join('\n');
}

function swept(name: string, call: string, fitting: readonly string[]): string[] {
  const others = fitting.flatMap((_, i) =>
    Object.keys(KINDS).map((kind) => {
      const kinds = fitting.map((one, j) => (i === j ? kind : one));
      return program(`${name} r${i + 1}=${kind}`, call, kinds);
    }),
  );
  return [program(name, call, fitting), ...others];
}

/** In the form of `caseText.ts`. */
export function callSweep(): string[] {
  const cases: string[] = [];
  for (let id = 1; id < BPF_FUNC_MAX_ID; id++) {
    const name = funcIdName(id);
    const args = arg.helperProto(id)?.args ?? [];
    cases.push(
      ...swept(
        name,
        `call ${id}`,
        args.map((type) => fits(name, type)),
      ),
    );
  }
  for (let imm = 1; ; imm++) {
    const kfunc = kfuncByImm(imm);
    if (kfunc === undefined) return cases;
    // numbers of types are each kernel's own
    if (kfunc.refusal !== undefined || kfunc.name === 'bpf_rdonly_cast') continue;
    const fitting = kfunc.args.map((_, i) => kfuncFits(kfunc, i));
    cases.push(...swept(kfunc.name, `call kfunc ${kfunc.name}`, fitting));
  }
}
