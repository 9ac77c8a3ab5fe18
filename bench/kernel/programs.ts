/** `programs.c`, built and running: the benchmark's programs in the kernel and as native code. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { LineServer } from '../lineServer.ts';
import { startLineServer } from '../lineServer.ts';

const SOURCE = fileURLToPath(new URL('./programs.c', import.meta.url));
/** The compiler that made the object first, so that both sides had the same optimiser. */
const COMPILERS = ['clang-14', 'clang', 'cc'];

export interface JudgeReply {
  readonly ns: number;
  readonly retval: number;
}

/** @returns the server and its compiler, or why there is none, in words */
export async function openPrograms(
  object: string,
): Promise<{ server: LineServer; compiler: string } | { unavailable: string }> {
  if (process.platform !== 'linux') return { unavailable: `not Linux but ${process.platform}` };
  if (process.getuid?.() !== 0) return { unavailable: 'not root' };
  const folder = mkdtempSync(join(tmpdir(), 'bench-programs-'));
  try {
    const binary = join(folder, 'programs');
    const built = COMPILERS.map((compiler) => ({
      compiler,
      result: spawnSync(compiler, ['-O2', '-o', binary, SOURCE, '-lbpf'], { encoding: 'utf8' }),
    })).find(({ result }) => result.status === 0);
    if (built === undefined) return { unavailable: 'no C compiler, or no libbpf-dev' };
    const server = await startLineServer(binary, [object]);
    return { server, compiler: built.compiler };
  } catch (error) {
    return { unavailable: error instanceof Error ? error.message : String(error) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
