// Builds what is published: bundles for Node and browsers, and type declarations.
//
//   dist/cli.js      the command, one file; tsx alone stays outside and is loaded only when needed
//   dist/index.js    the core, nothing of Node in it
//   dist/node.js     what reads and writes files
//   dist/vitest.js   matchers; vitest itself stays outside
//   dist/types/      declarations, laid out as the source is
//
// Each bundle is one flat scope with constants folded in (`minifySyntax`). Modules that a bundle
// loads lazily would share their constants as variables of a closure, which the packet path pays for.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from './bundle.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const at = (path) => join(root, path);

// CommonJS dependencies call require() for Node's own modules.
const REQUIRE =
  "import{createRequire as $createRequire}from'node:module';const require=$createRequire(import.meta.url);";

const COMMON = {
  absWorkingDir: root,
  bundle: true,
  format: 'esm',
  target: 'node20',
  minifySyntax: true,
  legalComments: 'none',
  logLevel: 'warning',
  external: ['tsx', 'tsx/*', 'vitest'],
};

const CLI = {
  entryPoints: ['src/cli/main.ts'],
  outfile: 'dist/cli.js',
  platform: 'node',
  // A third less to parse at every start.
  minifyWhitespace: true,
  banner: { js: `#!/usr/bin/env node\n${REQUIRE}` },
};

const forNode = (entry, outfile) => ({
  entryPoints: [entry],
  outfile,
  platform: 'node',
  banner: { js: REQUIRE },
});

const LIBRARIES = [
  {
    entryPoints: ['src/index.ts'],
    outfile: 'dist/index.js',
    platform: 'neutral',
    mainFields: ['module', 'main'],
  },
  forNode('src/node.ts', 'dist/node.js'),
  forNode('src/vitest.ts', 'dist/vitest.js'),
].filter(({ entryPoints: [entry] }) => existsSync(at(entry)));

/** Declarations of the libraries; whether the types are right is for `npm run types` to say. */
async function emitDeclarations() {
  if (LIBRARIES.length === 0) return;
  const config = {
    extends: '../tsconfig.json',
    compilerOptions: {
      noEmit: false,
      noCheck: true,
      emitDeclarationOnly: true,
      rootDir: '..',
      outDir: 'types',
    },
    include: [],
    files: LIBRARIES.flatMap(({ entryPoints }) => entryPoints.map((entry) => `../${entry}`)),
  };
  const file = at('dist/tsconfig.json');
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

await rm(at('dist'), { recursive: true, force: true });
await mkdir(at('dist'));
await Promise.all([
  ...[CLI, ...LIBRARIES].map((bundle) => build({ ...COMMON, ...bundle })),
  emitDeclarations(),
]);
await chmod(at('dist/cli.js'), 0o755);
