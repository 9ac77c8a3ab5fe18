/** Every published row that a run stands for. */
import { APP_ROWS } from './rowsApps.ts';
import { LINK_ROWS } from './rowsLinks.ts';
import { STACK_ROWS } from './rowsStack.ts';
import { XDP_ROWS } from './rowsXdp.ts';
import type { Row } from './scenario.ts';

export const ROWS: readonly Row[] = [...XDP_ROWS, ...STACK_ROWS, ...LINK_ROWS, ...APP_ROWS];
