/** Colours of what is drawn: kinds that have no order, and amounts that have one. */

/** Okabe and Ito's colours, which people with every kind of sight tell apart; yellow left out. */
export const COLOURS: readonly string[] = [
  '#0072b2',
  '#d55e00',
  '#009e73',
  '#cc79a7',
  '#56b4e9',
  '#e69f00',
  '#000000',
  '#8c564b',
];

export type Rgb = readonly [red: number, green: number, blue: number];

/** Viridis at even distances: equal steps look equal, in grey and to every kind of sight. */
const RAMP: readonly Rgb[] = [
  [68, 1, 84],
  [71, 44, 122],
  [59, 81, 139],
  [44, 113, 142],
  [33, 144, 141],
  [39, 173, 129],
  [92, 200, 99],
  [170, 220, 50],
  [253, 231, 37],
];

/** Beyond it the ramp is too light for a line on white. */
const LINES_END = 0.75;

/** @param share 0 to 1 */
export function rampColour(share: number): Rgb {
  const at = Math.min(1, Math.max(0, share)) * (RAMP.length - 1);
  const i = Math.min(RAMP.length - 2, Math.floor(at));
  const [low, high] = [RAMP[i]!, RAMP[i + 1]!];
  const mix = (part: 0 | 1 | 2): number =>
    Math.round(low[part] + (high[part] - low[part]) * (at - i));
  return [mix(0), mix(1), mix(2)];
}

export const rgb = ([r, g, b]: Rgb): string => `rgb(${r},${g},${b})`;

/** Of the `index`th of `count` lines whose order means something, from dark to light. */
export const orderedColour = (index: number, count: number): string =>
  rgb(rampColour((index / Math.max(1, count - 1)) * LINES_END));
