/** The constants of a catalogue's module, by name: those that begin with `prefix`. */
export const numbered = (module: object, prefix: string): [string, number][] =>
  Object.entries(module).flatMap(([name, value]: [string, unknown]): [string, number][] => {
    const isOne = name.startsWith(prefix) && typeof value === 'number' && !name.endsWith('_COUNT');
    return isOne ? [[name.slice(prefix.length), value]] : [];
  });

/** `NO_BUFFER` as `noBuffer`. */
export const camel = (name: string): string =>
  name.toLowerCase().replaceAll(/_(.)/g, (_, c: string) => c.toUpperCase());
