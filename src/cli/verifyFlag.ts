/** `--verify on|off`: have programs to pass the verifier? */
import { OptionError } from '../lab/options.ts';

/** @throws OptionError */
export function verifyFlag(text: string = 'on'): boolean {
  if (text === 'on' || text === 'off') return text === 'on';
  throw new OptionError(`--verify: ${text} is not on or off`);
}
