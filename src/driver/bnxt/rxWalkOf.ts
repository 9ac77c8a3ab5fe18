/**
 * The walk of one program: its loop (`rxWalkLoop.ts`) as a WebAssembly function, with the program in it
 * or behind an import, and what else it calls.
 */
import type { HostAddr } from '../../host/memory.ts';
import { I32, WasmModule } from '../../host/wasm.ts';
import { callImport } from '../../host/wasmFunction.ts';
import { bqEnqueue } from '../../xdp/bulkQueue.ts';
import type { InlinedProgram } from '../../xdp/engine.ts';
import type { XdpProg } from '../../xdp/program.ts';
import { catchUp } from './poll.ts';
import type { Around } from './rxWalkAround.ts';
import { ELSEWHERE, IN_ALLOCATOR, IN_BULK_QUEUE, IN_PROGRAM } from './rxWalkAround.ts';
import { walkLoop } from './rxWalkLoop.ts';
import { passImports } from './rxWalkPass.ts';

type Walk = (block: HostAddr, time: HostAddr, rawCons: number, most: number) => number;

/** The walk of one program. */
export interface ProgramWalk {
  readonly walk: Walk;
  readonly around: Around;
}

/** What the walk is told instead of a verdict that may be no integer; like any that it knows nothing of, it stops the walk. */
export const ANOTHER = 0;

/** What the loop calls, as its module imports it. */
function importsOf(around: Around): WebAssembly.Imports {
  return {
    skb: passImports(around),
    nic: {
      settle(): number {
        around.inside = ELSEWHERE;
        const isMore = catchUp(around.rxr!.cpr);
        around.inside = IN_PROGRAM;
        return isMore ? 1 : 0;
      },
    },
    driver: {
      refill(): HostAddr {
        const { pagePool, cpu } = around.rxr!;
        if (pagePool.ringPages === 0) return 0;
        around.inside = IN_ALLOCATOR;
        const page = pagePool.alloc(cpu);
        around.inside = IN_PROGRAM;
        around.refills++;
        return page;
      },
      enqueue(bulkQueue: HostAddr, frame: HostAddr): number {
        const { xdpRxq, cpu } = around.rxr!;
        const context = xdpRxq.xdp.netContexts[cpu.id]!;
        around.inside = IN_BULK_QUEUE;
        bqEnqueue(xdpRxq.xdp, context, context.bulkQueueFrom(bulkQueue), frame, null, cpu);
        around.inside = IN_PROGRAM;
        return 0;
      },
    },
  };
}

function writeWalk(module: WasmModule, program: InlinedProgram): void {
  const settle = module.importFunction('nic', 'settle', module.type([], [I32]));
  const refill = module.importFunction('driver', 'refill', module.type([], [I32]));
  const enqueue = module.importFunction('driver', 'enqueue', module.type([I32, I32], [I32]));
  walkLoop(module, program, { settle, refill, enqueue }).exportTo(module, 'walk');
}

/** A walk whose program is an import: each has an instance of its own. */
function encodeCallingWalk(): Uint8Array<ArrayBuffer> {
  const module = new WasmModule();
  module.importMemory('host', 'memory');
  const run = module.importFunction('program', 'run', module.type([I32], [I32]));
  writeWalk(module, (_, ctx) => callImport(run, ctx));
  return module.encode();
}

/** Compiled at the first use. */
let callingWalk: WebAssembly.Module | null = null;
const walks: WeakMap<XdpProg, ProgramWalk> = new WeakMap();

export function walkOf(prog: XdpProg, memory: WebAssembly.Memory): ProgramWalk {
  let known = walks.get(prog);
  if (known === undefined) {
    const around: Around = { rxr: null, act: 0, inside: IN_PROGRAM, refills: 0 };
    const run = (md: HostAddr): number => {
      const act = prog.run(md);
      if ((act | 0) === act && act > ANOTHER) return act;
      around.act = act;
      return ANOTHER;
    };
    const imports = importsOf(around);
    const exports =
      prog.link?.(writeWalk, imports) ??
      new WebAssembly.Instance((callingWalk ??= new WebAssembly.Module(encodeCallingWalk())), {
        ...{ host: { memory }, program: { run }, ...imports },
      }).exports;
    known = { walk: exports['walk'] as Walk, around };
    walks.set(prog, known);
  }
  return known;
}
