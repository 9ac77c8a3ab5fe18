/**
 * Programs by index: where tail calls lead.
 *
 * The first program that is put in, or that is loaded with a tail call through the map, decides
 * which others may: tail calls never lead to a program of another kind.
 *
 * @linux prog_array_map_ops, bpf_prog_map_compatible; kernel/bpf/arraymap.c, kernel/bpf/core.c
 */
import { EBADF, EINVAL, ENOENT } from '../../host/errno.ts';
import type { HostAddr } from '../../host/memory.ts';
import type { BpfProgRef } from '../bpf.ts';
import type { EngineImage } from '../engine.ts';
import { indexAt } from './arrayMap.ts';
import { FdArray } from './fdArray.ts';

type Owner = Pick<BpfProgRef, 'type' | 'attachType' | 'frags'>;

export class ProgArrayMap extends FdArray<BpfProgRef> {
  private owner: Owner | null = null;

  /** May a program of this kind be here, or call through here? The first one decides. */
  admits(prog: Owner): boolean {
    this.owner ??= { type: prog.type, attachType: prog.attachType, frags: prog.frags };
    const { type, attachType, frags } = this.owner;
    return type === prog.type && attachType === prog.attachType && frags === prog.frags;
  }

  /** Where a tail call with this index leads, or null. */
  progAt(index: number): EngineImage | null {
    const prog = this.get(index);
    return prog === null ? null : prog.image;
  }

  protected override takeEntry(id: number): BpfProgRef | number {
    const prog = this.bpf.progs.get(id);
    if (prog === undefined) return -EBADF;
    return this.admits(prog) ? prog : -EINVAL;
  }

  protected override putEntry(_prog: BpfProgRef): void {}

  protected override copyOut(key: HostAddr, into: HostAddr): number {
    const prog = this.get(indexAt(this.mem, key));
    if (prog === null) return -ENOENT;
    this.mem.words[into >> 2] = prog.id;
    return 0;
  }
}
