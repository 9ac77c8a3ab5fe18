/** The object files of the scenarios `count` and `l4lb`: the same for the kernel and for us. */
import { fileURLToPath } from 'node:url';

export type ObjectScenario = 'count' | 'l4lb';
export const OBJECT_SCENARIOS: readonly ObjectScenario[] = ['count', 'l4lb'];

const file = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** In the order in which `kernel/path.c` takes them. */
export const OBJECTS: Readonly<Record<ObjectScenario, string>> = {
  count: file('bpf/count.o'),
  l4lb: file('../examples/bpf/l4lb.o'),
};
