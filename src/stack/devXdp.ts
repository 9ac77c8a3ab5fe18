/**
 * Attaching an XDP program to a device: the rules that hold for every driver.
 *
 * Only native mode is built; the rules about generic and offloaded programs side by side come with
 * those modes.
 *
 * @linux dev_xdp_attach, dev_xdp_install; net/core/dev.c
 */
import { EBUSY, EEXIST, EINVAL, EOPNOTSUPP } from '../host/errno.ts';
import { TP_XDP_SET } from '../host/trace.ts';
import type { XdpProg } from '../xdp/program.ts';
import {
  BPF_XDP_CPUMAP,
  BPF_XDP_DEVMAP,
  XDP_FLAGS_DRV_MODE,
  XDP_FLAGS_HW_MODE,
  XDP_FLAGS_MODES,
  XDP_FLAGS_REPLACE,
  XDP_FLAGS_SKB_MODE,
  XDP_FLAGS_UPDATE_IF_NOEXIST,
} from '../xdp/uapi.ts';
import type { NetDevice, NetlinkExtAck } from './netdevice.ts';

/**
 * Attach `prog`, or detach what is there when it is null.
 *
 * @param flags `XDP_FLAGS_*`; without a mode bit: native if the driver can
 * @param oldProg with `XDP_FLAGS_REPLACE`: the program that must be attached now
 * @returns 0 or a negative errno, explained in `extack`
 * @linux dev_xdp_attach
 */
export function devXdpAttach(
  dev: NetDevice,
  prog: XdpProg | null,
  flags: number,
  extack: NetlinkExtAck,
  oldProg: XdpProg | null = null,
): number {
  const refuse = (errno: number, msg: string): number => {
    extack.msg = msg;
    return -errno;
  };
  const modes = flags & XDP_FLAGS_MODES;
  const replace = (flags & XDP_FLAGS_REPLACE) !== 0;
  const noexist = (flags & XDP_FLAGS_UPDATE_IF_NOEXIST) !== 0;

  if ((modes & (modes - 1)) !== 0) return refuse(EINVAL, 'Only one XDP mode flag can be set');
  if (oldProg !== null && !replace) return refuse(EINVAL, 'XDP_FLAGS_REPLACE is not specified');
  if (unbuiltMode(dev, modes)) return refuse(EOPNOTSUPP, 'Only native mode XDP is built so far');
  if (replace && dev.xdpProg !== oldProg) {
    return refuse(EEXIST, 'Active program does not match expected');
  }
  if (prog !== null && noexist && dev.xdpProg !== null) {
    return refuse(EBUSY, 'XDP program already attached');
  }
  if (prog?.attachType === BPF_XDP_DEVMAP) return refuse(EINVAL, notForDevices('DEVMAP'));
  if (prog?.attachType === BPF_XDP_CPUMAP) return refuse(EINVAL, notForDevices('CPUMAP'));
  if (prog === dev.xdpProg) return 0; // the driver is not asked when nothing changes
  if (dev.netdevOps.ndoBpf === undefined) {
    return refuse(EOPNOTSUPP, 'Underlying driver does not support XDP in native mode');
  }
  return install(dev, prog, flags, extack);
}

const notForDevices = (kind: string): string =>
  `BPF_XDP_${kind} programs can not be attached to a device`;

/** @linux dev_xdp_mode */
function unbuiltMode(dev: NetDevice, modes: number): boolean {
  if (modes === 0) return dev.netdevOps.ndoBpf === undefined;
  return (modes & (XDP_FLAGS_SKB_MODE | XDP_FLAGS_HW_MODE)) !== 0;
}

/** @linux dev_xdp_install */
function install(
  dev: NetDevice,
  prog: XdpProg | null,
  flags: number,
  extack: NetlinkExtAck,
): number {
  const rc = dev.netdevOps.ndoBpf!(dev, { prog, flags: flags | XDP_FLAGS_DRV_MODE, extack });
  if (rc !== 0) return rc;
  dev.xdpProg = prog;
  const { watch, softnet } = dev.net;
  if (watch.on) watch.point(TP_XDP_SET, softnet[0]!.cpu, dev.ifindex, prog === null ? 0 : 1);
  return 0;
}
