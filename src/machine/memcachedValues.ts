/**
 * Lengths of memcached's values as mutilate draws them (`fb_value`): 44 % have 14 bytes or fewer,
 * here all of them five, their mean; the others 15 bytes and a generalized Pareto variate.
 *
 * Beyond 1,300 bytes they are cut, so that an answer is one frame (every 45th would be longer).
 *
 * @spec Atikoglu et al.: Workload Analysis of a Large-Scale Key-Value Store, SIGMETRICS 2012, 5
 */
import { expOf, lnOf } from '../wire/variates.ts';

const SHORT_SHARE = 0.44155;
const SHORT_BYTES = 5;
const LONG_FROM = 15;
const SCALE = 214.476;
const SHAPE = 0.348238;
export const VALUE_MOST_BYTES = 1300;

/** @param u evenly distributed between 0 and 1, the ends excluded */
export function valueBytes(u: number): number {
  if (u < SHORT_SHARE) return SHORT_BYTES;
  const over = (1 - u) / (1 - SHORT_SHARE);
  const excess = (SCALE * (expOf(-SHAPE * lnOf(over)) - 1)) / SHAPE;
  return Math.min(VALUE_MOST_BYTES, LONG_FROM + Math.floor(excess));
}
