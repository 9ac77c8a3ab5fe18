// Builds what is published: bundles for Node and browsers, and type declarations.
// Usage: node scripts/build.mjs [FOLDER], dist unless given.
//
//   dist/cli.js      the command, one file; tsx alone stays outside and is loaded only when needed
//   dist/index.js    the core, nothing of Node in it
//   dist/node.js     what reads and writes files
//   dist/vitest.js   matchers; vitest itself stays outside
//   dist/chunks/     what these three share, so that there is one `ProgramFault`, whoever throws it
//   dist/types/      declarations, laid out as the source is
//
// Constants stay constants (`bundle.mjs`), and the whole packet path lies in one flat scope: in the
// command, and in the chunk that all libraries share. Modules that a bundle loads lazily would share
// their constants as variables of a closure, which the packet path pays for.
import { execFile } from 'node:child_process';
import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from './bundle.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const out = resolve(process.argv[2] ?? join(root, 'dist'));

// CommonJS dependencies call require() for Node's own modules.
const REQUIRE =
  "import{createRequire as $createRequire}from'node:module';const require=$createRequire(import.meta.url);";

const COMMON = {
  absWorkingDir: root,
  bundle: true,
  format: 'esm',
  target: 'node20',
  legalComments: 'none',
  logLevel: 'warning',
  external: ['tsx', 'tsx/*', 'vitest'],
  // Its modules, of which most are left out; Node and bundlers would be given one whole file each.
  alias: {
    rxjs: fileURLToPath(new URL('../node_modules/rxjs/dist/esm/index.js', import.meta.url)),
  },
};

const CLI = {
  entryPoints: ['src/cli/main.ts'],
  outfile: join(out, 'cli.js'),
  platform: 'node',
  // A third less to parse at every start.
  minifyWhitespace: true,
  banner: { js: `#!/usr/bin/env node\n${REQUIRE}` },
};

const ENTRIES = ['src/index.ts', 'src/node.ts', 'src/vitest.ts'];

const LIBRARIES = {
  entryPoints: ENTRIES,
  outdir: out,
  outbase: 'src',
  platform: 'neutral',
  mainFields: ['module', 'main'],
  splitting: true,
  chunkNames: 'chunks/[name]-[hash]',
  external: [...COMMON.external, 'node:*'],
};

const fromOut = (path) => relative(out, join(root, path));

/** Declarations of the libraries; whether the types are right is for `npm run types` to say. */
async function emitDeclarations() {
  const config = {
    extends: fromOut('tsconfig.json'),
    compilerOptions: {
      noEmit: false,
      noCheck: true,
      declaration: true,
      emitDeclarationOnly: true,
      rootDir: root,
      outDir: 'types',
    },
    include: [],
    files: ENTRIES.map(fromOut),
  };
  const file = join(out, 'tsconfig.json');
  await writeFile(file, JSON.stringify(config));
  const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
  try {
    await promisify(execFile)(process.execPath, [tsc, '-p', file], { cwd: root });
  } catch (error) {
    throw new Error(`tsc: ${error.stdout || error.message}`, { cause: error });
  } finally {
    await rm(file);
  }
}

await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });
await Promise.all([
  build({ ...COMMON, ...CLI }),
  build({ ...COMMON, ...LIBRARIES }),
  emitDeclarations(),
]);
await chmod(join(out, 'cli.js'), 0o755);
