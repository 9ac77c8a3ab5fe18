import { describe, expect, test } from 'vitest';
import { askKernelMaps, readMapAnswers } from '../../oracle/kernelMaps.ts';
import { replayMaps } from '../../oracle/mapReplay.ts';
import { mapScripts } from '../../oracle/mapScripts.ts';
import { whyNoKernel } from '../../oracle/objrun.ts';

/** Each line with its answer, so that a difference shows what was asked. */
const dialogue = (script: readonly string[], answers: readonly string[]): string[] =>
  script.map((line, i) => `${line} → ${answers[i]}`);

const record = readMapAnswers();

describe(`maps answer user space as Linux ${record.kernel} did`, () => {
  test.each(Object.entries(mapScripts(record.cpus)))('%s', (name, script) => {
    const ours = replayMaps(script, record.cpus);
    expect(dialogue(script, ours)).toEqual(dialogue(script, record.answers[name]!));
  });
});

const unable = whyNoKernel();
const SEED = Number(process.env['RINGSCOPE_SEED'] ?? 5000);

test.skipIf(unable !== null)(`and as the running kernel does, seed ${SEED}`, () => {
  const live = askKernelMaps((cpus) => mapScripts(cpus, SEED));
  for (const [name, script] of Object.entries(mapScripts(live.cpus, SEED))) {
    const ours = replayMaps(script, live.cpus);
    expect(dialogue(script, ours)).toEqual(dialogue(script, live.answers[name]!));
  }
});
