import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const source = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  test: { include: ['test/**/*.test.ts'], testTimeout: 60_000 },
  resolve: {
    // Tests written as users write them run on the source, not on what was built last.
    alias: [
      { find: /^ringscope$/, replacement: source('src/index.ts') },
      { find: /^ringscope\/(node|vitest)$/, replacement: source('src/$1.ts') },
    ],
  },
});
