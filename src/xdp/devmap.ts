/**
 * A devmap: devices by number, as targets for `bpf_redirect_map`.
 *
 * Entries hold the device itself, as in Linux, so that a lookup on a packet's path is one array
 * access. Programs on entries (`bpf_devmap_val.bpf_prog`) are not built.
 *
 * @linux struct bpf_dtab; kernel/bpf/devmap.c
 */
import { E2BIG, EINVAL } from '../host/errno.ts';
import type { RedirectTarget } from './redirectTarget.ts';

export class DevMap {
  readonly id: number;
  readonly maxEntries: number;
  private readonly entries: (RedirectTarget | null)[];

  constructor(id: number, maxEntries: number) {
    this.id = id;
    this.maxEntries = maxEntries;
    this.entries = Array.from({ length: maxEntries }, () => null);
  }

  /** The device at `key`, or null. @linux __dev_map_lookup_elem */
  lookup(key: number): RedirectTarget | null {
    return this.entries[key] ?? null;
  }

  /** @returns 0; -E2BIG when `key` is past the end. @linux dev_map_update_elem */
  update(key: number, target: RedirectTarget): number {
    if (!this.has(key)) return -E2BIG;
    this.entries[key] = target;
    return 0;
  }

  /** @returns 0; -EINVAL when `key` is past the end. @linux dev_map_delete_elem */
  delete(key: number): number {
    if (!this.has(key)) return -EINVAL;
    this.entries[key] = null;
    return 0;
  }

  private has(key: number): boolean {
    return key >>> 0 === key && key < this.maxEntries;
  }
}
