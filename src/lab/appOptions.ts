/**
 * The applications of a run, as options describe them: `sink:9,echo:7:1` on a command line, a list
 * with more to say in a scenario, functions too in code.
 */
import * as z from 'zod';
import type { AppConfig, AppKind, UdpPeer } from '../machine/inetConfig.ts';
import { APP_DEFAULTS } from '../machine/inetConfig.ts';
import { parsePeer } from './addresses.ts';
import type { Kind } from './optionKinds.ts';
import * as kind from './optionKinds.ts';

/** What one application says of itself; the run's own options hold for what it leaves out. */
export interface AppOptions {
  readonly kind: AppKind;
  readonly udp: number;
  readonly cpu?: number | undefined;
  readonly cpus?: readonly number[] | undefined;
  readonly threads?: number | undefined;
  readonly rcvbuf?: number | undefined;
  readonly batch?: number | undefined;
  readonly busyPoll?: number | undefined;
  readonly busyPollBudget?: number | undefined;
  readonly preferBusyPoll?: boolean | undefined;
  readonly reply?: number | undefined;
  readonly keep?: number | undefined;
  readonly connect?: UdpPeer | undefined;
  readonly onDatagram?: AppConfig['onDatagram'];
  readonly onError?: AppConfig['onError'];
  readonly onBatchEnd?: AppConfig['onBatchEnd'];
  /** Called once, when the run is over. */
  readonly onEnd?: (() => void) | undefined;
}

/** What the run says of all its applications: where they run and how they wait. */
export interface AppRunOptions {
  readonly appCpu: number;
  readonly appCpus: readonly number[];
  readonly appThreads: number;
  readonly busyPoll: number;
  readonly busyPollBudget: number;
  readonly preferBusyPoll: boolean;
}

/** What a command line can say; a callback needs a function, and that only code can give. */
const TEXT_KINDS: readonly AppKind[] = ['sink', 'echo', 'server', 'memcached', 'capture'];
const KINDS: readonly AppKind[] = [...TEXT_KINDS, 'callback'];
/** Options that only one kind has. */
const KIND_OF = { reply: 'server', keep: 'capture', onDatagram: 'callback' } as const;
/** Of a memcached answer to a key of 31 bytes in UDP, so that its frame is as long as TCP's. */
const AROUND_VALUE = 77;
const PORT = kind.whole(1, 65_535);
const BATCH = kind.whole(1, 1024);
const FORM = 'KIND:PORT[:BATCH],…, as in "sink:9,echo:7:1"';

type Reads = <T>(of: Kind<T>) => z.ZodType<T>;

const isFunction = (value: unknown): boolean => typeof value === 'function';

/** @param base what makes a schema of a kind */
export const appSchema = (base: Reads): z.ZodType<AppOptions> & { readonly shape: object } =>
  z.strictObject(
    {
      kind: base(kind.word(KINDS)),
      udp: base(PORT),
      cpu: z.optional(base(kind.cpu)),
      cpus: z.optional(base(kind.numbers(kind.cpu))),
      threads: z.optional(base(kind.whole(1, 64))),
      rcvbuf: z.optional(base(kind.whole(1, 2 ** 28, 'bytes'))),
      batch: z.optional(base(BATCH)),
      busyPoll: z.optional(base(kind.whole(0, 1_000_000, 'µs'))),
      busyPollBudget: z.optional(base(kind.whole(1, 65_535))),
      preferBusyPoll: z.optional(base(kind.onOff)),
      reply: z.optional(base(kind.whole(0, 65_507, 'bytes'))),
      keep: z.optional(base(kind.whole(0, 1_000_000))),
      connect: z.optional(base(kind.parsed('ADDR:PORT', '', parsePeer))),
      onError: z.optional(
        z.custom<NonNullable<AppConfig['onError']>>(isFunction, 'is not a function'),
      ),
      onDatagram: z.optional(
        z.custom<NonNullable<AppConfig['onDatagram']>>(isFunction, 'is not a function'),
      ),
      onBatchEnd: z.optional(
        z.custom<NonNullable<AppConfig['onBatchEnd']>>(isFunction, 'is not a function'),
      ),
      onEnd: z.optional(z.custom<() => void>(isFunction, 'is not a function')),
    },
    {
      error: ({ code }) =>
        code === 'invalid_type' ? 'expected an app as "kind: sink, udp: 9"' : undefined,
    },
  );

/** A command line's text as the list it stands for; anything else as it is. @throws kind.Refusal */
export function appsOfText(raw: unknown): unknown {
  if (typeof raw !== 'string') return raw;
  return raw.split(',').map((item) => {
    const [name, port, batch, ...more] = item.trim().split(':');
    if (port === undefined || more.length > 0)
      throw new kind.Refusal(
        `${item.trim() === '' ? 'nothing' : JSON.stringify(item.trim())} is no app (${FORM})`,
      );
    const app = { kind: kind.word(TEXT_KINDS).read(name), udp: PORT.read(port) };
    return batch === undefined ? app : { ...app, batch: BATCH.read(batch) };
  });
}

/** Applications as a command line says them; null where it cannot. */
export function textOfApps(apps: readonly AppOptions[]): string | null {
  const sayable = ['kind', 'udp', 'batch'];
  const plain = apps.every(
    (app) =>
      TEXT_KINDS.includes(app.kind) &&
      Object.entries(app).every(([key, value]) => value === undefined || sayable.includes(key)),
  );
  if (!plain) return null;
  return apps
    .map(({ kind: name, udp, batch }) => [name, udp, ...(batch === undefined ? [] : [batch])])
    .map((words) => words.join(':'))
    .join(',');
}

/** An option that its application cannot have, or has not been given; null when all is well. */
export function alienKey(
  app: AppOptions,
): { readonly key: keyof AppOptions; readonly why: string } | null {
  for (const key of ['reply', 'keep', 'onDatagram'] as const)
    if (app[key] !== undefined && app.kind !== KIND_OF[key])
      return { key, why: `is for ${KIND_OF[key]}, and this is ${app.kind}` };
  if (app.cpus !== undefined && app.cpu !== undefined)
    return { key: 'cpus', why: 'not with cpu, which is one' };
  if (app.connect !== undefined && (app.threads ?? 1) > 1)
    return { key: 'connect', why: 'a peer goes with one thread' };
  if (app.kind === 'callback' && app.onDatagram === undefined)
    return { key: 'kind', why: 'callback needs a function (onDatagram), which only code can give' };
  return null;
}

/** @param run what holds unless it says otherwise */
export const appConfig = (app: AppOptions, run: AppRunOptions): AppConfig => ({
  kind: app.kind,
  udp: app.udp,
  cpu: app.cpu ?? run.appCpu,
  cpus: app.cpus ?? (app.cpu === undefined ? run.appCpus : []),
  threads: app.threads ?? (app.connect === undefined ? run.appThreads : 1),
  rcvbuf: app.rcvbuf ?? APP_DEFAULTS.rcvbuf,
  batch: app.batch ?? (app.kind === 'memcached' ? 1 : APP_DEFAULTS.batch),
  busyPollUsecs: app.busyPoll ?? run.busyPoll,
  busyPollBudget: app.busyPollBudget ?? run.busyPollBudget,
  preferBusyPoll: app.preferBusyPoll ?? run.preferBusyPoll,
  replyBytes: app.reply ?? (app.kind === 'memcached' ? AROUND_VALUE : APP_DEFAULTS.replyBytes),
  keep: app.keep ?? APP_DEFAULTS.keep,
  connect: app.connect,
  onDatagram: app.onDatagram,
  onError: app.onError,
  onBatchEnd: app.onBatchEnd,
});
