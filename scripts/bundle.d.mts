import type { BuildOptions } from 'esbuild';

/** esbuild's `build`, with constants kept constant. */
export function build(options: BuildOptions): Promise<void>;
