/**
 * Captures in and out: tells the format of a file and reads it. The formats themselves are in
 * `pcap.ts` and `pcapng.ts`, what they become is in `capturedFrame.ts`.
 */
import { CaptureFile, type Capture, type CaptureError } from './capturedFrame.ts';
import { looksLikePcap, readPcap } from './pcap.ts';
import { looksLikePcapng, readPcapng } from './pcapng.ts';

export {
  CaptureError,
  frameTimePs,
  LINKTYPE_ETHERNET,
  type Capture,
  type CapturedFrame,
  type CaptureInterface,
  type CaptureTime,
} from './capturedFrame.ts';
export type { CaptureWriter, CaptureWriterOptions, FrameExtra } from './captureWriter.ts';
export { PcapWriter, type PcapWriterOptions } from './pcap.ts';
export { PcapngWriter, type PcapngWriterOptions } from './pcapngWriter.ts';

/** First bytes of what people hand over by mistake. */
const FOREIGN: readonly (readonly [bytes: readonly number[], what: string])[] = [
  [[0x1f, 0x8b], 'a gzip file: unpack it first'],
  [[0x28, 0xb5, 0x2f, 0xfd], 'a Zstandard file: unpack it first'],
  [[0x04, 0x22, 0x4d, 0x18], 'an LZ4 file: unpack it first'],
  [[0xfd, 0x37, 0x7a, 0x58, 0x5a], 'an xz file: unpack it first'],
  [[0x42, 0x5a, 0x68], 'a bzip2 file: unpack it first'],
  [[0x50, 0x4b, 0x03, 0x04], 'a zip file: unpack it first'],
  [[0x7f, 0x45, 0x4c, 0x46], 'an ELF object file'],
  [[0x73, 0x6e, 0x6f, 0x6f, 0x70, 0x00], 'a snoop capture, which is not supported'],
];

/**
 * Reads a pcap or pcapng file, whichever it is.
 *
 * Nothing is copied: the capture keeps `bytes`, and its frames point into them.
 *
 * @param name what messages call the file
 * @throws CaptureError if it is neither, damaged, or cut short
 */
export function readCapture(bytes: Uint8Array, name: string): Capture {
  const file = new CaptureFile(name, bytes);
  if (bytes.length === 0) throw file.refuse(0, 'the file is empty, not a capture');
  if (bytes.length >= 4) {
    if (looksLikePcap(file)) return readPcap(file);
    if (looksLikePcapng(file)) return readPcapng(file);
  }
  throw notACapture(file);
}

function notACapture(file: CaptureFile): CaptureError {
  const { bytes } = file;
  const foreign = FOREIGN.find(([start]) => start.every((byte, i) => bytes[i] === byte));
  if (foreign) return file.refuse(0, `not a pcap or pcapng file; it looks like ${foreign[1]}`);
  const start = [...bytes.subarray(0, 4)].map((byte) => byte.toString(16).padStart(2, '0'));
  return file.refuse(0, `not a pcap or pcapng file; it starts with ${start.join(' ')}`);
}
