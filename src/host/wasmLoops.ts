/**
 * Modules of WebAssembly loops that work on one memory and import nothing else.
 *
 * Each is encoded and compiled at its first use. Every memory has one instance, whoever asks: calls
 * of several NICs that each had their own would not know their callee.
 */
import type { WasmFunction } from './wasmFunction.ts';
import { WasmModule } from './wasm.ts';

/**
 * @param functions writers of the module's functions, by the names they are exported under, and in the
 *   order in which `callOwn` counts them
 * @returns a function from a memory to the exports of its instance, which the caller says are `T`
 */
export function wasmLoops<T extends object>(
  functions: Readonly<Record<keyof T & string, () => WasmFunction>>,
): (memory: WebAssembly.Memory) => T {
  let compiled: WebAssembly.Module | null = null;
  const instances: WeakMap<WebAssembly.Memory, T> = new WeakMap();
  const encode = (): Uint8Array<ArrayBuffer> => {
    const module = new WasmModule();
    module.importMemory('host', 'memory');
    for (const [name, write] of Object.entries<() => WasmFunction>(functions)) {
      write().exportTo(module, name);
    }
    return module.encode();
  };
  return (memory) => {
    let loops = instances.get(memory);
    if (loops === undefined) {
      compiled ??= new WebAssembly.Module(encode());
      const { exports } = new WebAssembly.Instance(compiled, { host: { memory } });
      loops = exports as unknown as T;
      instances.set(memory, loops);
    }
    return loops;
  };
}
