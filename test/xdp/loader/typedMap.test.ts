import { expect, test } from 'vitest';
import { MapError } from '../../../src/xdp/maps/mapDef.ts';
import { TypedMap } from '../../../src/xdp/loader/typedMap.ts';
import { getVariable, setVariable } from '../../../src/xdp/loader/variables.ts';
import { loadRig, specOf } from './rig.ts';

function typed(object: string, map: string): TypedMap {
  const { maps, spec } = loadRig(specOf(object));
  return new TypedMap(maps[map]!, spec.maps[map]);
}

test('keys and values by their types', () => {
  const shapes = typed('types', 'shapes');
  expect(shapes.get({ proto: 6 })).toBeUndefined();
  shapes.set({ proto: 6, name: 'a' }, { level: 'HIGH', word: 7 });
  shapes.set({ proto: 17 }, { level: 'LOW', grid: [[1]] });

  expect(shapes.get({ proto: 6, name: 'a' })).toMatchObject({ level: 'HIGH', bytes: [7, 0, 0, 0] });
  const found = [...shapes].map(([key, value]) => [key, (value as { level: string }).level]);
  expect(found).toHaveLength(2);
  expect(found).toContainEqual([{ proto: 17, name: '', port: 0 }, 'LOW']);
  expect([...shapes.keys()]).toContainEqual({ proto: 6, name: 'a', port: 0 });

  expect(shapes.delete({ proto: 6 })).toBe(false);
  expect(shapes.delete({ proto: 6, name: 'a' })).toBe(true);
  expect([...shapes].length).toBe(1);
});

test('a value of each CPU', () => {
  const counts = typed('types', 'counts');
  expect(counts.get(0)).toEqual([0]);
  counts.set(1, [2 ** 40]);
  expect([...counts]).toEqual([
    [0, [0]],
    [1, [2 ** 40]],
  ]);
  expect(() => counts.set(1, 5)).toThrow('counts.value: a per-CPU value is an array of 1');
});

test('the map refuses as Linux does', () => {
  const counts = typed('types', 'counts');
  expect(() => counts.set(2, [1])).toThrow(MapError);
  expect(() => counts.delete(0)).toThrow(/EINVAL/);
  expect(() => counts.get('zero')).toThrow('counts.key: "zero" is no number');
});

test('a section of variables is a map of one value', () => {
  const { maps, spec } = loadRig(specOf('counter-19'));
  const value = (name: string) => new TypedMap(maps[name]!, spec.maps[name]).get(0);
  expect(value('.rodata')).toEqual({ limit: 1500, port: 443 });
  expect(value('.data')).toEqual({ total: 0x1122334455667788n, offset_in_data: 7 });
});

test('without types, numbers and bytes', () => {
  const hits = typed('legacy20', 'hits');
  hits.set(3, 2n ** 63n);
  expect(hits.get(3)).toBe(2n ** 63n);
  expect(() => hits.set(3, { a: 1 })).toThrow(
    'hits.value: without a type it is 8 bytes, given as such',
  );
  expect(() => hits.get(-1)).toThrow('hits.key: -1 is out of range (0 to 4294967295)');
});

test('variables, before the object is loaded and while it runs', () => {
  const spec = specOf('counter-19');
  expect([getVariable(spec, 'limit'), getVariable(spec, 'label')]).toEqual([1500, 'counter']);
  setVariable(spec, 'limit', 100);
  expect(() => setVariable(spec, 'port', 70_000)).toThrow(
    'port: 70000 is out of range (0 to 65535)',
  );
  expect(() => setVariable(spec, 'prot', 1)).toThrow(
    /^prot: no such variable; the object has limit,/,
  );
  expect(() => getVariable(spec, 'toString')).toThrow('toString: no such variable');
  expect(() => setVariable(specOf('maps-19'), 'CONFIG_HZ', 1000)).toThrow(
    'CONFIG_HZ: is a setting of the kernel: loadCollection takes it in `kconfig`',
  );

  const live = loadRig(spec);
  expect(live.run('count', 200)).toBe(1);
  expect(getVariable(live, 'total')).toBe(0x1122334455667788n + 200n);
  setVariable(live, 'total', 1);
  live.run('count', 64);
  expect(getVariable(live, 'total')).toBe(65);
  expect(() => setVariable(live, 'limit', 5)).toThrow(/limit cannot be set \(EPERM\)/);
});
