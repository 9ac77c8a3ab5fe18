/**
 * The PCIe link between NIC and host memory: how long each packet keeps it busy, either way.
 *
 * Every transfer is cut into packets (TLPs): writes and completions of at most `maxPayload` bytes,
 * read requests for at most `maxRead`. Each has 8 bytes of framing and sequence number, a header
 * of 16 bytes (64-bit write, read request) or 12 (completion). For what comes one way,
 * acknowledgements and flow-control credits go the other way: 8 bytes each for every `ackBytes`.
 *
 *   up     NIC to memory: frames, completions, requests to read descriptors and frames
 *   down   memory to NIC: descriptors, frames to be sent, register writes
 *
 * What queues share is shared out evenly: each of n RX rings has an n-th of the link, whether the
 * others use theirs or not; then one queue's history does not depend on another's, and the NIC can
 * be advanced queue by queue. Frames that are sent burden the receive direction when their doorbell
 * is rung, the reads of all of them at once.
 *
 * @spec PCI Express Base Specification 5.0, 2.2 TLPs, 2.6.1.2 and 3.6.3.1 update and ack limits, 4.2.2 framing
 */
import type { Ps } from '../host/clock.ts';
import { PS_PER_SEC } from '../host/clock.ts';
import { RangeRefused } from '../host/errors.ts';
import type { PcieSpec } from '../host/profile.ts';

const REQUEST_TLP = 24;
const COMPLETION_TLP = 20;
const DLLP = 8;
const POINTER = 4;
/** Ordered sets that let both ends' clocks differ: 4 bytes in 1538. */
const SKIP = 4 / 1538;

/** Gigatransfers a second, and the share of them that is data. */
const RATES: Readonly<Record<number, readonly [number, number]>> = {
  1: [2.5, 0.8],
  2: [5, 0.8],
  3: [8, 128 / 130],
  4: [16, 128 / 130],
  5: [32, 128 / 130],
};
const LANES: readonly number[] = [1, 2, 4, 8, 16];
const PAYLOADS: readonly number[] = [128, 256, 512, 1024];
/** Bytes per acknowledgement, by generation, lanes (1, 2, 4, 8, 16) and payload (128 to 1024). */
const ACK_BYTES: Readonly<Record<number, readonly (readonly number[])[]>> = {
  1: [
    [237, 416, 559, 1071],
    [128, 217, 289, 545],
    [73, 118, 154, 282],
    [67, 107, 86, 150],
    [48, 72, 86, 150],
  ],
  2: [
    [288, 467, 610, 1122],
    [179, 268, 340, 596],
    [124, 169, 205, 333],
    [118, 158, 137, 201],
    [99, 123, 137, 201],
  ],
  3: [
    [333, 512, 655, 1167],
    [224, 313, 385, 641],
    [169, 214, 250, 378],
    [163, 203, 182, 246],
    [144, 168, 182, 246],
  ],
};

const refuse = (what: string, value: number, allowed: readonly (number | string)[]): void => {
  if (!allowed.includes(value)) throw new RangeRefused(what, value, allowed.join(', '));
};

export class PcieLink {
  private readonly spec: PcieSpec;
  private readonly psPerByte: number;
  /** Bytes the other way for each byte this way. */
  private readonly answer: number;
  /** Bytes for each packet besides its own: received, upward, answers included; sent, either way. */
  private readonly rxFixed: number;
  private readonly txFixedUp: number;
  private readonly txFixedDown: number;

  /** @throws RangeRefused */
  constructor(spec: PcieSpec) {
    const { generation, lanes, maxPayload, maxRead } = spec;
    refuse('PCIe generation', generation, Object.keys(RATES).map(Number));
    refuse('PCIe lanes', lanes, LANES);
    refuse('PCIe max payload', maxPayload, PAYLOADS);
    refuse('PCIe max read request', maxRead, [128, 256, 512, 1024, 2048, 4096]);
    const [rate, share] = RATES[generation]!;
    const bytesPerSec = ((rate * 1e9 * lanes) / 8) * share * (1 - SKIP);
    const limits = ACK_BYTES[Math.min(generation, 3)]!;
    this.spec = spec;
    this.psPerByte = PS_PER_SEC / bytesPerSec;
    this.answer = (2 * DLLP) / limits[LANES.indexOf(lanes)]![PAYLOADS.indexOf(maxPayload)]!;

    const rxFetch = spec.rxDescriptorBytes * spec.rxDescriptorsPerRead;
    const rxReport = this.write(spec.rxCompletionBytes * spec.rxCompletionsPerWrite);
    const rxUp =
      this.request(rxFetch) / spec.rxDescriptorsPerRead +
      rxReport / spec.rxCompletionsPerWrite +
      spec.rxRegisterReads * (POINTER + COMPLETION_TLP);
    const rxDown =
      this.completion(rxFetch) / spec.rxDescriptorsPerRead +
      spec.rxRegisterWrites * (POINTER + REQUEST_TLP) +
      spec.rxRegisterReads * REQUEST_TLP;
    this.rxFixed = rxUp + rxDown * this.answer;

    const txFetch = spec.txDescriptorBytes * spec.txDescriptorsPerRead;
    const txReport = this.write(spec.txCompletionBytes * spec.txCompletionsPerWrite);
    this.txFixedUp =
      this.request(txFetch) / spec.txDescriptorsPerRead +
      txReport / spec.txCompletionsPerWrite / spec.packetsPerTxCompletion +
      spec.txRegisterReads * (POINTER + COMPLETION_TLP);
    this.txFixedDown =
      this.completion(txFetch) / spec.txDescriptorsPerRead +
      spec.txRegisterWrites * (POINTER + REQUEST_TLP) +
      spec.txRegisterReads * REQUEST_TLP;
  }

  /** How long a received frame keeps the upward direction busy. */
  rxPs(len: number): Ps {
    return Math.round((this.rxFixed + this.write(len)) * this.psPerByte);
  }

  /** How long a frame that is sent keeps the downward direction busy. */
  txPs(len: number): Ps {
    const { answer, txFixedUp, txFixedDown } = this;
    const up = txFixedUp + this.request(len);
    return Math.round((txFixedDown + this.completion(len) + up * answer) * this.psPerByte);
  }

  /** How long a frame that is sent keeps the upward direction busy. */
  txRequestPs(len: number): Ps {
    const { answer, txFixedUp, txFixedDown } = this;
    const down = txFixedDown + this.completion(len);
    return Math.round((txFixedUp + this.request(len) + down * answer) * this.psPerByte);
  }

  /** Frames that wait longer than this for the link have filled the NIC's buffer. */
  bufferPs(len: number): Ps {
    return Math.round((this.spec.rxBufferBytes / len) * this.rxPs(len));
  }

  private write(bytes: number): number {
    return bytes + REQUEST_TLP * Math.ceil(bytes / this.spec.maxPayload);
  }

  private request(bytes: number): number {
    return REQUEST_TLP * Math.ceil(bytes / this.spec.maxRead);
  }

  private completion(bytes: number): number {
    return bytes + COMPLETION_TLP * Math.ceil(bytes / this.spec.maxPayload);
  }
}
