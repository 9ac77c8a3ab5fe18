/**
 * `ringscope run --watch`: a run at the pace of the wall clock, and whoever talks to it.
 *
 * Commands come line by line from standard input and from connections to a Unix socket, and are
 * carried out one after the other. At the prompt a reply is text on stderr; on the socket each line
 * is answered by one line of JSON: `{"ok":true,"text":…,"data":…}` or `{"ok":false,"error":…}`.
 */
import { lstat, unlink } from 'node:fs/promises';
import type { Server, Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { PS_PER_MS } from '../host/clock.ts';
import { fileReason } from '../lab/files.ts';
import { InputError } from '../lab/inputError.ts';
import type { LiveRun } from '../lab/liveRun.ts';
import { EXIT_USAGE, exitCodeOf, failureText } from './failure.ts';
import { jsonLine } from './jsonLine.ts';
import type { Terminal } from './terminal.ts';

export interface WatchOptions {
  /** Virtual seconds a second. */
  readonly speed: number;
  /** Path of the socket. */
  readonly control: string | undefined;
}

/** Wall time between two looks at the commands. */
const TICK_MS = 10;
/** Where the machine is too slow for the pace: it lags behind instead of running after it. */
const MOST_MS = 100;
/** Virtual time of one step inside a tick. */
const STEP_PS: number = PS_PER_MS / 4;
const STATS_EVERY_MS = 1000;

/** @returns what takes a watched run along */
export const watching =
  (options: WatchOptions, terminal: Terminal, nowMs: () => number) =>
  async (live: LiveRun): Promise<void> => {
    const talk = new Talk(live);
    const lines = createInterface({ input: process.stdin });
    lines.on('line', (line) => void talk.atPrompt(line, terminal));
    const socket = new ControlSocket(talk);
    try {
      if (options.control !== undefined) await socket.listen(options.control);
      await goOn(live, talk, options.speed, terminal, nowMs);
    } finally {
      lines.close();
      process.stdin.pause();
      socket.close();
    }
  };

async function goOn(
  live: LiveRun,
  talk: Talk,
  speed: number,
  terminal: Terminal,
  nowMs: () => number,
): Promise<void> {
  let last = nowMs();
  let statsAt = last + STATS_EVERY_MS;
  while (!live.over) {
    await sleep(TICK_MS);
    await talk.settled;
    if (talk.failure !== null) throw talk.failure;
    const now = nowMs();
    let owed = Math.min(now - last, MOST_MS) * speed * PS_PER_MS;
    last = now;
    for (; owed >= 1 && nowMs() - now < MOST_MS; owed -= STEP_PS) {
      live.advance(Math.min(owed, STEP_PS));
    }
    if (terminal.live && now >= statsAt && !live.paused) {
      statsAt = now + STATS_EVERY_MS;
      terminal.err(`${(await live.command('stats')).text}\n`);
    }
  }
}

/** Commands, one at a time, whoever gives them. */
class Talk {
  /** Resolved when no command is under way. */
  settled: Promise<void> = Promise.resolve();
  /** What ends the run. */
  failure: unknown = null;
  private readonly live: LiveRun;

  constructor(live: LiveRun) {
    this.live = live;
  }

  async atPrompt(line: string, terminal: Terminal): Promise<void> {
    const answer = await this.answer(line);
    const text = answer.ok ? answer.text : answer.error;
    if (text !== '') terminal.err(`${text}\n`);
  }

  answer(line: string): Promise<Answer> {
    const answered = this.settled.then(() => this.carryOut(line));
    this.settled = answered.then(() => {});
    return answered;
  }

  private async carryOut(line: string): Promise<Answer> {
    try {
      return { ok: true, ...(await this.live.command(line)) };
    } catch (error) {
      if (exitCodeOf(error) !== EXIT_USAGE) this.failure = error;
      return { ok: false, error: failureText(error, false).trimEnd() };
    }
  }
}

type Answer =
  | { readonly ok: true; readonly text: string; readonly data?: unknown }
  | { readonly ok: false; readonly error: string };

/** A line longer than this is no command. */
const LINE_MAX = 1 << 20;

/** The socket, and who is connected to it. */
class ControlSocket {
  private readonly server: Server;
  private readonly connections: Set<Socket> = new Set();

  constructor(talk: Talk) {
    this.server = createServer((socket) => {
      this.connections.add(socket);
      socket.on('close', () => this.connections.delete(socket));
      socket.on('error', () => socket.destroy());
      takeLines(socket, talk);
    });
  }

  /** @throws InputError when there can be no socket */
  async listen(path: string): Promise<void> {
    const refused = (why: string): InputError =>
      new InputError(`--control: cannot listen at ${path}: ${why}`);
    const before = await lstat(path).catch(() => null);
    if (before?.isSocket() === true) {
      if (await answers(path)) throw refused('another run does');
      // left behind by a run that was killed
      await unlink(path).catch((error: unknown) => {
        throw refused(fileReason(error));
      });
    }
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', (error) => reject(refused(fileReason(error))));
      this.server.listen(path, resolve);
    });
  }

  close(): void {
    this.server.close();
    for (const socket of this.connections) socket.end();
  }
}

const answers = (path: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(path, () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });

function takeLines(socket: Socket, talk: Talk): void {
  let rest = '';
  socket.setEncoding('utf8');
  socket.on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop()!;
    if (rest.length > LINE_MAX) socket.destroy();
    for (const line of lines) {
      void talk.answer(line).then((answer) => void socket.write(jsonLine(answer)));
    }
  });
}
