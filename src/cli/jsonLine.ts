/** One JSON document on one line; integers beyond 2^53 as texts. */
export const jsonLine = (value: unknown): string =>
  `${JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? String(part) : part))}\n`;
