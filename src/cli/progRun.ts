/** `ringscope prog run`: one packet in, verdict and bytes out, with the time a run takes. */
import { readBytes, writeBytes } from '../lab/files.ts';
import { InputError } from '../lab/inputError.ts';
import { OptionError } from '../lab/options.ts';
import { chooseProgram, LoneProgram, readObject } from '../lab/bpfObject.ts';
import type { EngineName } from '../lab/bpfObject.ts';
import { ENGINE_NAMES, verdictName } from '../lab/bpfObject.ts';
import { didYouMean } from '../lab/nearest.ts';
import { hexDump } from './hexDump.ts';
import { table } from './table.ts';
import { kernelTypesAt } from './kernelTypesFile.ts';
import type { Terminal } from './terminal.ts';
import { verifyFlag } from './verifyFlag.ts';

export interface ProgRunFlags {
  readonly program?: string;
  readonly sec?: string;
  readonly dataIn?: string;
  readonly dataHex?: string;
  readonly dataOut?: string;
  readonly repeat?: string;
  readonly engine?: string;
  readonly verify?: string;
  readonly btf?: string;
  readonly json?: boolean;
}

const MAX_REPEAT = 1e9;

/** @throws OptionError, InputError, and what parsing, loading and running throw */
export async function progRunCommand(
  file: string,
  flags: ProgRunFlags,
  terminal: Terminal,
): Promise<void> {
  const repeat = repeatOf(flags.repeat);
  const engine = engineOf(flags.engine);
  const verify = verifyFlag(flags.verify);
  const data = await packetOf(flags);
  const spec = readObject(file, await readBytes('FILE', file), await kernelTypesAt(flags.btf));
  const chosen = chooseProgram(spec, { program: flags.program, section: flags.sec });
  const lone = new LoneProgram(spec, chosen, { engine, verify });

  const start = performance.now();
  let retval = 0;
  for (let i = 0; i < repeat; i++) retval = lone.run(data);
  const durationNs = Math.round(((performance.now() - start) * 1e6) / repeat);
  const out = lone.dataOut;
  if (flags.dataOut !== undefined) await writeBytes('--data-out', flags.dataOut, out);

  if (flags.json) {
    const dataOut = Buffer.from(out).toString('hex');
    terminal.out(`${JSON.stringify({ retval, dataOut, durationNs, repeat, engine, verify })}\n`);
    return;
  }
  const rows = [
    ['program', `${chosen.name} (${chosen.section})`],
    ['verdict', `${retval} ${verdictName(retval)}`.trim()],
    ['packet', `${data.length} bytes in, ${out.length} out`],
    [
      'time',
      `${durationNs} ns a run, ${repeat} ${repeat === 1 ? 'run' : 'runs'}, ${engine}${verify ? '' : ', not verified: every access tested'}`,
    ],
  ];
  const printed = lone.printed.map((line) => `  ${line}`);
  const trace = printed.length === 0 ? [] : ['', 'printed', ...printed];
  terminal.out(`${[...table(rows, ['left', 'left']), ...trace, '', ...hexDump(out)].join('\n')}\n`);
}

function repeatOf(text: string | undefined): number {
  const repeat = text === undefined ? 1 : Number(text);
  if (!Number.isInteger(repeat) || repeat < 1 || repeat > MAX_REPEAT) {
    throw new OptionError(`--repeat: ${text} is not a whole number from 1 to ${MAX_REPEAT}`);
  }
  return repeat;
}

function engineOf(text: string = 'jit'): EngineName {
  const engine = ENGINE_NAMES.find((name) => name === text);
  if (engine !== undefined) return engine;
  const known = ENGINE_NAMES.join(' or ');
  throw new OptionError(`--engine: ${text} is not ${known}${didYouMean(text, ENGINE_NAMES)}`);
}

async function packetOf({ dataIn, dataHex }: ProgRunFlags): Promise<Uint8Array> {
  if (dataIn !== undefined && dataHex !== undefined) {
    throw new OptionError('--data-in and --data-hex exclude each other');
  }
  if (dataIn !== undefined) return readBytes('--data-in', dataIn);
  if (dataHex === undefined) throw new OptionError('--data-in FILE or --data-hex HEX is needed');
  const digits = dataHex.replaceAll(/[\s:]/g, '');
  if (!/^([0-9a-f]{2})+$/i.test(digits)) {
    throw new InputError('--data-hex: not an even number of hex digits');
  }
  return Uint8Array.from(Buffer.from(digits, 'hex'));
}
