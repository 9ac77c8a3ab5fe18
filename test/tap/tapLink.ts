/**
 * A machine of ours and the kernel of this one, joined by a TAP device in a network namespace.
 *
 * Wall time drives virtual time: every few milliseconds the machine is run up to now. Needs root,
 * /dev/net/tun, iproute2 and a C compiler.
 */
import type { ChildProcessByStdio } from 'node:child_process';
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { PS_PER_MS } from '../../src/host/clock.ts';
import type { Ps } from '../../src/host/clock.ts';
import type { Machine } from '../../src/machine.ts';
import { Inlet } from '../../src/machine/inlet.ts';

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const TICK_MS = 2;

const has = (tool: string): boolean => {
  try {
    execFileSync('which', [tool], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};

/** Why the test cannot run here, or null. */
export function tapMissing(): string | null {
  if (process.getuid?.() !== 0) return 'not root';
  if (!existsSync('/dev/net/tun')) return 'no /dev/net/tun';
  return ['ip', 'cc', 'python3', 'tshark', 'tcpdump'].find((tool) => !has(tool)) ?? null;
}

export class TapLink {
  /** Frames from the kernel, and frames to it. */
  heard = 0;
  said = 0;
  readonly capture: string;
  private readonly machine: Machine;
  private readonly inlet: Inlet;
  private readonly netns: string = `ringscope-tap${process.pid}`;
  private readonly dir: string = mkdtempSync(join(tmpdir(), 'ringscope-tap-'));
  private readonly bridge: ChildProcessByStdio<Writable, Readable, null>;
  private readonly tcpdump: ChildProcessByStdio<null, null, Readable>;
  private readonly startMs: number = performance.now();
  private readonly timer: NodeJS.Timeout;
  private unread: Buffer = Buffer.alloc(0);

  /** The kernel's end is 10.0.0.10 and fd00::a. */
  constructor(machine: Machine, slots: number) {
    this.machine = machine;
    this.inlet = new Inlet(machine, 0, slots);
    const { u8 } = machine.mem;
    machine.watchWire({ frame: (_port, _time, at, len) => this.say(u8.slice(at, at + len)) });
    const helper = join(this.dir, 'tapBridge');
    execFileSync('cc', ['-O1', '-o', helper, here('tapBridge.c')]);
    execFileSync('ip', ['netns', 'add', this.netns]);
    this.bridge = spawn('ip', ['netns', 'exec', this.netns, helper, 'tap0'], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.waitForTap();
    this.run('sysctl', '-qw', 'net.ipv6.conf.tap0.accept_dad=0');
    this.run('sysctl', '-qw', 'net.ipv4.icmp_ratelimit=0');
    for (const address of ['10.0.0.10/24', 'fd00::a/64'])
      this.run('ip', 'addr', 'add', address, 'dev', 'tap0');
    this.run('ip', 'link', 'set', 'tap0', 'up');
    this.capture = join(this.dir, 'tap.pcap');
    const dump = [
      'tcpdump',
      '-Z',
      'root',
      '--immediate-mode',
      '-U',
      '-i',
      'tap0',
      '-w',
      this.capture,
    ];
    this.tcpdump = spawn('ip', ['netns', 'exec', this.netns, ...dump], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.bridge.stdout.on('data', (bytes: Buffer) => this.hear(bytes));
    this.timer = setInterval(() => this.drive(), TICK_MS);
  }

  /** tcpdump is listening. */
  async ready(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.tcpdump.stderr.on('data', (text: Buffer) => {
        if (text.includes('listening')) resolve();
      });
    });
  }

  private waitForTap(): void {
    const tries = `for i in $(seq 200); do ip link show tap0 >/dev/null 2>&1 && exit 0; sleep 0.05; done; exit 1`;
    this.run('sh', '-c', tries);
  }

  private run(...command: string[]): void {
    execFileSync('ip', ['netns', 'exec', this.netns, ...command], { timeout: 20_000 });
  }

  /** A program of the namespace, to its end. @returns what it printed */
  async program(...command: string[]): Promise<string> {
    const child = this.start(...command);
    let text = '';
    for await (const part of child.stdout) text += String(part);
    return text.trim();
  }

  /** A program of the namespace that goes on. */
  start(...command: string[]): ChildProcessByStdio<null, Readable, null> {
    return spawn('ip', ['netns', 'exec', this.netns, ...command], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
  }

  peers(...args: (string | number)[]): string[] {
    return ['python3', here('tapPeers.py'), ...args.map(String)];
  }

  get now(): Ps {
    return Math.round((performance.now() - this.startMs) * PS_PER_MS);
  }

  private drive(): void {
    this.inlet.deliver();
    this.machine.run(Math.max(this.now, this.machine.present));
  }

  private hear(bytes: Buffer): void {
    this.unread = Buffer.concat([this.unread, bytes]);
    while (this.unread.length >= 2) {
      const len = this.unread.readUInt16BE(0);
      if (this.unread.length < 2 + len) break;
      this.inlet.arrive(this.now, new Uint8Array(this.unread.subarray(2, 2 + len)));
      this.unread = this.unread.subarray(2 + len);
      this.heard++;
    }
    this.drive();
  }

  private say(frame: Uint8Array): void {
    const head = Buffer.alloc(2);
    head.writeUInt16BE(frame.length);
    this.bridge.stdin.write(Buffer.concat([head, frame]));
    this.said++;
  }

  /** The link ends; frames that tshark finds fault with, one a line. */
  async close(): Promise<string> {
    clearInterval(this.timer);
    this.tcpdump.kill('SIGINT');
    await new Promise((resolve) => this.tcpdump.once('exit', resolve));
    const bad =
      '_ws.malformed || ip.checksum.status == "Bad" || udp.checksum.status == "Bad" || ' +
      'icmp.checksum.status == "Bad" || icmpv6.checksum.status == "Bad"';
    const checks = ['ip.check_checksum', 'udp.check_checksum'].flatMap((name) => [
      '-o',
      `${name}:TRUE`,
    ]);
    const args = ['-r', this.capture, ...checks, '-Y', bad];
    return execFileSync('tshark', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  }

  /** Whatever happened. */
  end(): void {
    clearInterval(this.timer);
    this.bridge.stdin.end();
    this.bridge.kill();
    this.tcpdump.kill();
    try {
      execFileSync('ip', ['netns', 'del', this.netns], { stdio: 'ignore' });
    } finally {
      rmSync(this.dir, { recursive: true, force: true });
    }
  }
}
