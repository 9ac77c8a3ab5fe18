/**
 * Maps of sockets: AF_XDP sockets by queue, sockets by key, reuseport groups.
 *
 * They can be created, so that objects which declare them load, and looked into; while there are
 * no sockets they stay empty, and what user space would put in is no socket.
 *
 * @linux net/xdp/xskmap.c, net/core/sock_map.c, kernel/bpf/reuseport_array.c
 */
import { E2BIG, EBADF, EINVAL, ENOENT, ENOSPC, EOPNOTSUPP } from '../../host/errno.ts';
import type { HostAddr } from '../../host/memory.ts';
import { arrayNextKey, indexAt } from './arrayMap.ts';
import { BpfMap } from './bpfMap.ts';
import { BPF_EXIST } from './uapi.ts';

const COOKIE_BYTES = 8;

export class XskMap extends BpfMap {
  protected override destroy(): void {}

  /** @linux xsk_map_update_elem */
  override updateElem(key: HostAddr, _value: HostAddr, flags: number): number {
    if (flags >>> 0 > BPF_EXIST) return -EINVAL;
    if (indexAt(this.mem, key) >= this.maxEntries) return -E2BIG;
    return -EBADF;
  }

  override deleteElem(key: HostAddr): number {
    return indexAt(this.mem, key) < this.maxEntries ? 0 : -EINVAL;
  }

  override getNextKey(key: HostAddr, next: HostAddr): number {
    return arrayNextKey(this, key, next);
  }

  protected override copyOut(_key: HostAddr, _into: HostAddr): number {
    return -EOPNOTSUPP;
  }
}

/** User space reads cookies of 8 bytes, or nothing. @linux sock_map_lookup_sys */
const noCookie = (map: BpfMap): number => (map.valueSize === COOKIE_BYTES ? -ENOENT : -ENOSPC);

/** The descriptor is looked up before the flags are read. @linux sock_map_update_elem_sys */
const noSocket = (map: BpfMap, value: HostAddr): number =>
  map.mem.words[value >> 2]! < 0 ? -EINVAL : -EBADF;

export class SockMap extends BpfMap {
  protected override destroy(): void {}

  protected override copyOut(_key: HostAddr, _into: HostAddr): number {
    return noCookie(this);
  }

  override updateElem(_key: HostAddr, value: HostAddr, _flags: number): number {
    return noSocket(this, value);
  }

  override deleteElem(_key: HostAddr): number {
    return -EINVAL;
  }

  override getNextKey(key: HostAddr, next: HostAddr): number {
    return arrayNextKey(this, key, next);
  }
}

export class SockHash extends BpfMap {
  protected override destroy(): void {}

  protected override copyOut(_key: HostAddr, _into: HostAddr): number {
    return noCookie(this);
  }

  override updateElem(_key: HostAddr, value: HostAddr, _flags: number): number {
    return noSocket(this, value);
  }

  override deleteElem(_key: HostAddr): number {
    return -ENOENT;
  }

  override getNextKey(_key: HostAddr, _next: HostAddr): number {
    return -ENOENT;
  }
}

export class ReuseportSockArray extends BpfMap {
  protected override destroy(): void {}

  /** @linux bpf_fd_reuseport_array_lookup_elem */
  protected override copyOut(_key: HostAddr, _into: HostAddr): number {
    return noCookie(this);
  }

  /** @linux bpf_fd_reuseport_array_update_elem */
  override updateElem(key: HostAddr, _value: HostAddr, flags: number): number {
    if (flags >>> 0 > BPF_EXIST) return -EINVAL;
    if (indexAt(this.mem, key) >= this.maxEntries) return -E2BIG;
    return -EBADF;
  }

  override deleteElem(key: HostAddr): number {
    return indexAt(this.mem, key) < this.maxEntries ? -ENOENT : -E2BIG;
  }

  override getNextKey(key: HostAddr, next: HostAddr): number {
    return arrayNextKey(this, key, next);
  }
}
