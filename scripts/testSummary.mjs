// Prints tests passed, failed and skipped, from vitest's JSON report; on stderr the name of each skipped one.
// Usage: node scripts/testSummary.mjs REPORT
import { readFileSync } from 'node:fs';

const text = readFileSync(process.argv[2], 'utf8');
const tests = text === '' ? [] : JSON.parse(text).testResults.flatMap((f) => f.assertionResults);
const count = (wanted) => tests.filter(({ status }) => status === wanted).length;
const skipped = tests.filter(({ status }) => status !== 'passed' && status !== 'failed');

for (const { fullName } of skipped) console.error(`skipped test: ${fullName}`);
console.log(count('passed'), count('failed'), skipped.length);
