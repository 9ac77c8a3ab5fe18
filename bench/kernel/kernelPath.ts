import { execFile, spawn, type ChildProcessByStdio } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { ObjectScenario } from '../objects.ts';
import { OBJECTS } from '../objects.ts';

const SOURCES: readonly string[] = ['./path.c', './counters.c', './socket.c'].map((name) =>
  fileURLToPath(new URL(name, import.meta.url)),
);
const COMPILE_LIMIT_MS = 60_000;
const SETUP_LIMIT_MS = 20_000;
const ROUND_LIMIT_MS = 15_000;
const ROUND_LIMIT_MS_PER_PACKET = 0.01;
const TRIAL_PACKETS = 64;

export type KernelScenario = 'drop' | 'tx' | 'redirect' | 'pass' | 'socket' | ObjectScenario;

export const KERNEL_SCENARIOS: readonly KernelScenario[] = [
  'drop',
  'tx',
  'redirect',
  'pass',
  'socket',
  'count',
  'l4lb',
];

/** The running kernel's own XDP path, as a server that measures one round at a time. */
export interface KernelPath {
  /**
   * Wall time of one round, divided by the packets that came to their end.
   * `processed` is below `packets` when the kernel lost some on the way.
   *
   * @param packets 1 to 10,000,000; a few hundred thousand make start-up vanish
   * @throws Error when the kernel refuses, the server is gone, or no answer comes in time
   */
  round(
    scenario: KernelScenario,
    packets: number,
  ): Promise<{ nsPerPacket: number; processed: number }>;
  /** What `uname -r` prints. */
  readonly release: string;
  /** Ends the server, and with it its network namespace. Node does not exit before this. */
  close(): void;
}

interface Reply {
  readonly error?: string;
  readonly ready?: boolean;
  readonly processed?: number;
  readonly wallNs?: number;
}

interface Waiting {
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

function parseReply(line: string): Reply {
  try {
    return JSON.parse(line) as Reply;
  } catch {
    return { error: `kernel path: not an answer: ${line.slice(0, 80)}` };
  }
}

/** The measuring process: one line in, one line out, every wait with a deadline. */
class PathServer implements KernelPath {
  readonly release: string = release();
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  #waiting: Waiting | undefined;
  #gone: Error | undefined;

  constructor(binary: string) {
    this.#child = spawn(binary, Object.values(OBJECTS), { stdio: ['pipe', 'pipe', 'ignore'] });
    this.#child.on('error', (error) => this.#end(error));
    this.#child.on('close', () => this.#end(new Error('the measuring process has ended')));
    this.#child.stdin.on('error', (error) => this.#end(error));
    const lines = createInterface({ input: this.#child.stdout });
    lines.on('line', (line) => this.#answered(line));
  }

  async ready(): Promise<void> {
    await this.#ask('', SETUP_LIMIT_MS); // greets unasked
  }

  async round(
    scenario: KernelScenario,
    packets: number,
  ): Promise<{ nsPerPacket: number; processed: number }> {
    const limitMs = ROUND_LIMIT_MS + packets * ROUND_LIMIT_MS_PER_PACKET;
    const { processed = 0, wallNs = 0 } = await this.#ask(`${scenario} ${packets}\n`, limitMs);
    if (processed === 0) throw new Error(`kernel path, ${scenario}: every packet was lost`);
    return { nsPerPacket: wallNs / processed, processed };
  }

  close(): void {
    this.#end(new Error('the kernel path has been closed'));
  }

  #ask(line: string, limitMs: number): Promise<Reply> {
    if (this.#gone) return Promise.reject(this.#gone);
    if (this.#waiting) return Promise.reject(new Error('kernel path: one round at a time'));
    this.#child.stdin.write(line);
    return new Promise((resolve, reject) => {
      const late = new Error(`kernel path: no answer within ${limitMs / 1000} s`);
      const timer = setTimeout(() => this.#end(late), limitMs);
      this.#waiting = { resolve, reject, timer };
    });
  }

  #answered(line: string): void {
    const reply = parseReply(line);
    const waiting = this.#settle();
    if (reply.error === undefined) waiting?.resolve(reply);
    else waiting?.reject(new Error(reply.error));
  }

  /** The first reason stays: killing the process makes it report its end a second time. */
  #end(reason: Error): void {
    this.#gone ??= reason;
    this.#child.kill('SIGKILL');
    this.#child.stdin.destroy();
    this.#child.stdout.destroy(); // a child of its own may still hold the other end
    this.#settle()?.reject(this.#gone);
  }

  #settle(): Waiting | undefined {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting) clearTimeout(waiting.timer);
    return waiting;
  }
}

/** Why the compiler failed, in words; `undefined` when it did not. */
function compile(binary: string): Promise<string | undefined> {
  const args = ['-O2', '-o', binary, ...SOURCES, '-lbpf', '-pthread'];
  return new Promise((resolve) => {
    execFile('cc', args, { timeout: COMPILE_LIMIT_MS }, (error, _stdout, stderr) => {
      if (!error) resolve(undefined);
      else if (error.code === 'ENOENT') resolve('no C compiler (cc)');
      else if (/bpf\/\w+\.h|-lbpf/.test(stderr)) resolve('no libbpf headers (libbpf-dev)');
      else resolve(`the C sources do not compile: ${stderr.split('\n', 1)[0] || error.message}`);
    });
  });
}

async function start(binary: string): Promise<KernelPath> {
  const server = new PathServer(binary);
  try {
    await server.ready();
    for (const scenario of KERNEL_SCENARIOS) await server.round(scenario, TRIAL_PACKETS);
    return server;
  } catch (error) {
    server.close();
    throw error;
  }
}

/** The running process keeps its program, so the folder can go as soon as it has started. */
async function buildAndStart(): Promise<KernelPath | { unavailable: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'kernel-path-'));
  try {
    const binary = join(folder, 'path');
    const reason = await compile(binary);
    return reason === undefined ? await start(binary) : { unavailable: reason };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Builds and starts the measuring process, and tries every scenario once.
 * Never throws and never waits without a deadline: `unavailable` says in words what is missing.
 */
export async function openKernelPath(): Promise<KernelPath | { unavailable: string }> {
  if (process.platform !== 'linux') return { unavailable: `not Linux but ${process.platform}` };
  if (process.getuid?.() !== 0) return { unavailable: 'not root' };
  try {
    return await buildAndStart();
  } catch (error) {
    return { unavailable: error instanceof Error ? error.message : String(error) };
  }
}
