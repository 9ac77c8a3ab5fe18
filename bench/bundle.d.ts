/** Types of the build script that the benchmark shares with `scripts/build.mjs`. */
declare module '*/bundle.mjs' {
  import type { BuildOptions } from 'esbuild';

  /** esbuild's `build`, with constants kept constant. */
  export function build(options: BuildOptions): Promise<void>;
}
