/** Frames for tests of the NIC, addressed to the rig's own MAC unless said otherwise. */
import { buildFrame } from '../../src/wire/build.ts';
import type { FrameSpec, VlanSpec } from '../../src/wire/build.ts';

const TO_RIG = { hi16: 0x0200, lo32: 1 };
const FROM = { hi16: 0x0200, lo32: 0x0a0b_0c0d };

export interface UdpOptions {
  readonly dst?: { hi16: number; lo32: number };
  readonly tags?: readonly VlanSpec[];
  readonly srcPort?: number;
  readonly dstPort?: number;
  /** Without FCS. */
  readonly lenBytes?: number;
}

export const udp = (options: UdpOptions = {}): Uint8Array =>
  frame(
    {
      ...{ kind: 'ipv4', src: 0x0a00_0002, dst: 0x0a00_0001 },
      body: { kind: 'udp', srcPort: options.srcPort ?? 7, dstPort: options.dstPort ?? 9 },
    },
    options,
  );

export function frame(net: FrameSpec['net'], options: UdpOptions = {}): Uint8Array {
  return buildFrame({
    ...{ dst: options.dst ?? TO_RIG, src: FROM, tags: options.tags ?? [], net },
    ...(options.lenBytes === undefined ? {} : { frameLenBytes: options.lenBytes }),
  });
}

/** A copy with one byte changed. */
export function broken(bytes: Uint8Array, at: number): Uint8Array {
  const copy = bytes.slice();
  copy[at]! ^= 0x55;
  return copy;
}
