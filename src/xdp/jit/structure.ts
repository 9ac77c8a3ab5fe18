/**
 * Control flow of WebAssembly, which has no jumps, from a graph that has nothing else.
 *
 * A reducible graph becomes nested blocks, loops and ifs by its dominator tree: each block of code
 * is followed by the blocks it dominates, a merge sits behind the end of a `block` that forward
 * branches leave, a loop's head inside a `loop` that backward branches return to. Every block of
 * code is written once. (N. Ramsey: "Beyond Relooper", ICFP 2022.)
 *
 * An irreducible graph runs under a dispatcher: a loop around a `br_table` over the number of the
 * block that comes next.
 *
 * Neither recurses: production programs nest thousands deep.
 */
import { I32 } from '../../host/wasm.ts';
import type { WasmCode } from '../../host/wasm.ts';
import type { Block, Graph } from './graph.ts';

const I32_EQZ = 0x45;

/** Writes what blocks do. */
export interface BlockWriter {
  /** All of block `i` but how it goes on; an exit is written with it. */
  body(i: number): void;
  /** Leave a number other than 0 on the stack when block `i`, which ends on a condition, jumps. */
  condition(i: number): void;
}

export function writeStructured(graph: Graph, out: WasmCode, writer: BlockWriter): void {
  new Structured(graph.blocks, out, writer).write();
}

class Structured {
  private readonly blocks: readonly Block[];
  private readonly out: WasmCode;
  private readonly writer: BlockWriter;
  /** By block: the label that leads forward to it, and the one that leads back. */
  private readonly forward: Int32Array;
  private readonly backward: Int32Array;
  /** What is still to be written, the next last. */
  private readonly rest: (() => void)[] = [() => this.tree(0)];
  private readonly end = (): void => this.out.end();

  constructor(blocks: readonly Block[], out: WasmCode, writer: BlockWriter) {
    this.blocks = blocks;
    this.out = out;
    this.writer = writer;
    this.forward = new Int32Array(blocks.length);
    this.backward = new Int32Array(blocks.length);
  }

  write(): void {
    for (let next = this.rest.pop(); next !== undefined; next = this.rest.pop()) next();
  }

  /** Block `i` and all it dominates. */
  private tree(i: number): void {
    const block = this.blocks[i]!;
    if (block.loop) {
      this.backward[i] = this.out.loop();
      this.rest.push(this.end);
    }
    // the merge that comes last lies behind the outermost block
    for (let k = block.dominates.length - 1; k >= 0; k--) {
      const merge = block.dominates[k]!;
      if (!this.blocks[merge]!.merge) continue;
      this.forward[merge] = this.out.block();
      this.rest.push(() => this.tree(merge), this.end);
    }
    this.writer.body(i);
    const [to, otherwise] = block.next;
    if (otherwise !== undefined) this.branch(i, to!, otherwise);
    else if (to !== undefined) this.go(i, to);
  }

  private branch(i: number, to: number, otherwise: number): void {
    this.writer.condition(i);
    if (this.isLabelled(i, to)) {
      this.out.brIf(this.labelOf(i, to));
      this.go(i, otherwise);
    } else if (this.isLabelled(i, otherwise)) {
      this.out.op(I32_EQZ).brIf(this.labelOf(i, otherwise));
      this.go(i, to);
    } else {
      this.out.if();
      this.rest.push(
        this.end,
        () => this.go(i, otherwise),
        () => this.out.else(),
        () => this.go(i, to),
      );
    }
  }

  /** Does `to` lie at a label? What has one way to it follows that way instead. */
  private isLabelled(i: number, to: number): boolean {
    return to <= i || this.blocks[to]!.merge;
  }

  private labelOf(i: number, to: number): number {
    return to > i ? this.forward[to]! : this.backward[to]!;
  }

  private go(i: number, to: number): void {
    if (this.isLabelled(i, to)) this.out.br(this.labelOf(i, to));
    else this.rest.push(() => this.tree(to));
  }
}

/** @param next a local (i32) for the number of the block that comes next; it may hold anything before */
export function writeDispatched(
  graph: Graph,
  out: WasmCode,
  writer: BlockWriter,
  next: number,
): void {
  const { blocks } = graph;
  out.i32(0).set(next);
  const top = out.loop();
  const labels = blocks.map(() => out.block()).toReversed();
  out.get(next).brTable(labels);
  blocks.forEach((block, i) => {
    out.end();
    writer.body(i);
    const [to, otherwise] = block.next;
    if (to === undefined) return;
    if (otherwise !== undefined) {
      writer.condition(i);
      out.if(I32);
      out.i32(to);
      out.else();
      out.i32(otherwise);
      out.end();
    } else out.i32(to);
    out.set(next);
    out.br(top);
  });
  out.end();
}
