/** The profiles that come with the emulator. */
import type { CostProfile } from './profile.ts';
import { profileOf } from './profile.ts';
import { flat } from './profiles/flat.ts';
import { bulkSkbs, i40e2019, retpoline, unbulked } from './profiles/i40e2019.ts';
import {
  e10002002,
  epycPagePool,
  irqsuspend2024,
  mlx52016,
  pcieBench2018,
  skylake2017,
  withoutPageCache,
  xeon2020,
} from './profiles/others.ts';
import {
  xdpPaper2018,
  xdpPaper2018Compressed,
  xdpPaper2018Sleep,
} from './profiles/xdpPaper2018.ts';

export const FLAT: CostProfile = profileOf(flat);
const XDP_PAPER = profileOf(xdpPaper2018);
const MLX5 = profileOf(mlx52016(XDP_PAPER));
const I40E = profileOf(i40e2019(XDP_PAPER));
const I40E_RETPOLINE = profileOf(retpoline(I40E));

export const PROFILES: readonly CostProfile[] = [
  FLAT,
  XDP_PAPER,
  profileOf(xdpPaper2018Compressed(XDP_PAPER)),
  profileOf(retpoline(XDP_PAPER)),
  profileOf(xdpPaper2018Sleep(XDP_PAPER)),
  I40E,
  profileOf(bulkSkbs(I40E)),
  I40E_RETPOLINE,
  profileOf(unbulked(I40E_RETPOLINE)),
  MLX5,
  profileOf(withoutPageCache(MLX5)),
  profileOf(skylake2017(XDP_PAPER)),
  profileOf(epycPagePool(XDP_PAPER)),
  profileOf(pcieBench2018(XDP_PAPER)),
  ...[2, 3, 4, 5, 6, 7, 8].map((ways) => profileOf(xeon2020(XDP_PAPER, ways))),
  profileOf(e10002002(FLAT)),
  profileOf(irqsuspend2024(FLAT)),
];
