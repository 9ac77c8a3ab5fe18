/**
 * Programs that run on frames, after a redirect: on their way to a device, or on another CPU.
 *
 * @linux dev_map_bpf_prog_run; kernel/bpf/devmap.c
 */
import { OP_XDP_RUN } from '../host/cost.ts';
import type { Cpu } from '../host/cpu.ts';
import { LOST_DEVMAP_PROG } from '../host/fates.ts';
import type { HostAddr } from '../host/memory.ts';
import { TP_XDP_EXCEPTION } from '../host/trace.ts';
import type { BpfProgRef } from './bpf.ts';
import type { XdpKernel } from './kernel.ts';
import { xdpReturnFrameRxNapi } from './memModel.ts';
import { programFault } from './program.ts';
import { XDP_ABORTED, XDP_DROP, XDP_PASS } from './uapi.ts';
import { xdpConvertFrameToBuff, xdpUpdateFrameFromBuff } from './xdpFrame.ts';

/**
 * @param egressIfindex as `xdpConvertFrameToBuff`
 * @returns the verdict; the context is at `bpf.frameMd`
 * @throws ProgramFault
 */
export function runOnFrame(
  xdp: XdpKernel,
  prog: BpfProgRef,
  frame: HostAddr,
  egressIfindex: number,
  cpu: Cpu,
): number {
  const { frameMd } = xdp.bpf;
  xdpConvertFrameToBuff(xdp.mem.words, frame, frameMd, egressIfindex);
  cpu.charge(OP_XDP_RUN);
  try {
    return prog.run(frameMd);
  } catch (error) {
    throw programFault(prog.name, error);
  }
}

/**
 * The program of a devmap's entry on the frames of a bulk queue. Those it passes stay, in their
 * order, at the queue's front; it can do nothing else with a frame but drop it.
 *
 * @returns how many stay
 * @linux dev_map_bpf_prog_run
 */
export function devMapBpfProgRun(
  xdp: XdpKernel,
  prog: BpfProgRef,
  frames: HostAddr,
  n: number,
  egressIfindex: number,
  cpu: Cpu,
): number {
  const { words } = xdp.mem;
  let kept = 0;
  for (let i = 0; i < n; i++) {
    const frame = words[(frames >> 2) + i]!;
    const act = runOnFrame(xdp, prog, frame, egressIfindex, cpu);
    if (act === XDP_PASS && xdpUpdateFrameFromBuff(words, xdp.bpf.frameMd, frame)) {
      words[(frames >> 2) + kept++] = frame;
      continue;
    }
    if (act !== XDP_PASS && act !== XDP_DROP) noVerdictHere(xdp, prog, act, egressIfindex, cpu);
    xdpReturnFrameRxNapi(xdp, cpu, frame);
    xdp.fates.lost[LOST_DEVMAP_PROG]!++;
  }
  return kept;
}

function noVerdictHere(
  xdp: XdpKernel,
  prog: BpfProgRef,
  act: number,
  ifindex: number,
  cpu: Cpu,
): void {
  if (act !== XDP_ABORTED) warnInvalidXdpAction(xdp, prog, act);
  if (xdp.watch.on) xdp.watch.point(TP_XDP_EXCEPTION, cpu, prog.id, act, ifindex);
}

const XDP_REDIRECT_IS_LAST = 4;

/** Once, as all such warnings. @linux bpf_warn_invalid_xdp_action */
export function warnInvalidXdpAction(xdp: XdpKernel, prog: BpfProgRef, act: number): void {
  const number = act >>> 0;
  const kind = number > XDP_REDIRECT_IS_LAST ? 'Illegal' : 'Driver unsupported';
  xdp.upper?.warnOnce(
    `${kind} XDP return value ${number} on prog ${prog.name} (id ${prog.id}) dev N/A, expect packet loss!`,
  );
}
