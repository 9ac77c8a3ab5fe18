/**
 * The bare loop: the least a descriptor path can cost in JavaScript on this machine, right now.
 *
 * One file, module-level constants, no objects, no time, no checks: a NIC half that takes a buffer
 * descriptor, copies 60 bytes and writes a completion, and a driver half that reads it, sets a
 * context, asks a program and reposts the page. Machines of this kind run at two speeds, so every
 * figure of the path is quoted with this one beside it. It is not a path and is never called one.
 */
import { HostMemory } from '../src/host/memory.ts';

const SLOTS = 512;
const CP_SLOTS = 2048;
const BATCH = 64;
const RX = 0x10000;
const CP = 0x20000;
const MD = 0x30000;
const FRAME = 0x31000;
const PAGES = 0x100000;

const memory = new HostMemory(16 << 20);
const words = memory.words;
const { copy } = memory.ops;
const shadow = Array.from({ length: SLOTS }, (_, i) => ({
  data: PAGES + i * 4096,
  mapping: PAGES + i * 4096 + 256,
}));
shadow.forEach(({ mapping }, i) => words.set([0x06000084, i, mapping], (RX + i * 16) >> 2));

let hwCons = 0;
let hwProd = SLOTS - 1;
let cpProd = 0;
let cpCons = 0;
let rxProd = SLOTS - 1;
let dropped = 0;

const program = (md: number): number => (words[md >> 2] === 0 ? 2 : 1);

function receive(n: number): void {
  for (let k = 0; k < n && hwCons !== hwProd; k++) {
    const bd = (RX + hwCons * 16) >> 2;
    hwCons = (hwCons + 1) & (SLOTS - 1);
    copy(words[bd + 2]!, FRAME, 60);
    const at = (CP + (cpProd & (CP_SLOTS - 1)) * 16) >> 2;
    const ext = (CP + ((cpProd + 1) & (CP_SLOTS - 1)) * 16) >> 2;
    const v = (cpProd & CP_SLOTS) === 0 ? 1 : 0;
    words[ext] = 3;
    words[ext + 1] = 0;
    words[ext + 3] = 0;
    words[ext + 2] = v;
    words[at] = (60 << 16) | 17;
    words[at + 1] = words[bd + 1]!;
    words[at + 3] = 1234;
    words[at + 2] = v;
    cpProd += 2;
  }
}

function poll(budget: number): void {
  for (let n = 0; n < budget; n++) {
    const at = (CP + (cpCons & (CP_SLOTS - 1)) * 16) >> 2;
    const ext = (CP + ((cpCons + 1) & (CP_SLOTS - 1)) * 16) >> 2;
    const lap = (cpCons & CP_SLOTS) === 0 ? 0 : 1;
    if ((words[at + 2]! & 1) === lap || (words[ext + 2]! & 1) === lap) break;
    const slot = shadow[words[at + 1]!]!;
    words[MD >> 2] = slot.mapping;
    words[(MD + 4) >> 2] = slot.mapping + (words[at]! >>> 16);
    words[(MD + 8) >> 2] = slot.mapping;
    if (program(MD) !== 1) throw new Error('the bare program always drops');
    const free = shadow[rxProd & (SLOTS - 1)]!;
    free.data = slot.data;
    free.mapping = slot.mapping;
    words[(RX + (rxProd & (SLOTS - 1)) * 16 + 8) >> 2] = slot.mapping;
    rxProd++;
    dropped++;
    cpCons += 2;
  }
  hwProd = rxProd & (SLOTS - 1);
}

/** Push `packets` through, rounded up to batches of 64. @returns how many */
export function runBare(packets: number): number {
  const before = dropped;
  while (dropped - before < packets) {
    receive(BATCH);
    poll(BATCH);
  }
  return dropped - before;
}
