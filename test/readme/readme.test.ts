/** What the README shows is what is so. */
import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { readmeAsItIs } from '../../scripts/readme.ts';
import { run } from '../../src/node.ts';

const root = new URL('../../', import.meta.url);
const README = readFileSync(new URL('README.md', root), 'utf8');

test('its marked parts are as they are now; `npm run readme` writes them', async () => {
  expect(README).toBe(await readmeAsItIs());
});

test('its larger rings lose what it says they lose', async () => {
  const { lost } = (await run({ rxRing: 1023 })).report.packets;
  expect(Object.keys(lost)).toEqual(['txRingFull']);
  expect(README).toContain(`${lost['txRingFull']!.toLocaleString('en')} find no room in a TX ring`);
  const { lost: least } = (await run({ rxRing: 2047, txRing: 2047 })).report.packets;
  expect(Object.keys(least)).toEqual(['noBuffer']);
  expect(README).toContain(`only ${least['noBuffer']} find no buffer`);
});

test.each(['README.md', 'ARCHITECTURE.md'])('what %s links to is there', (name) => {
  const text = readFileSync(new URL(name, root), 'utf8');
  const links = [...text.matchAll(/\]\(([^)]+)\)/g)].map((match) => match[1]!);
  expect(links.length).toBeGreaterThan(1);
  expect(links.filter((link) => !existsSync(new URL(link, root)))).toEqual([]);
});
