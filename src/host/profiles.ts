/** The profiles that come with the emulator. */
import type { CostProfile } from './profile.ts';
import { profileOf } from './profile.ts';
import { flat } from './profiles/flat.ts';

export const FLAT: CostProfile = profileOf(flat);

export const PROFILES: readonly CostProfile[] = [FLAT];
