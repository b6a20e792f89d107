import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { id, memberOf, networkOf, portOf } from '../testing/specs.ts';
import { Inventory } from './inventory.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'aeroinventory-'));
});
afterEach(() => rm(folder, { recursive: true }));

it('holds after a restart what was put, with its number', async () => {
  const first = await Inventory.open(folder);
  await first.put('network', id(1), networkOf(1));
  await first.put('network', id(2), networkOf(2));
  await first.put('group-member', `${id(3)}:${id(4)}`, memberOf(3, 4));
  await first.put('port', id(4), portOf(4, 2));
  await first.drop('network', id(1));
  const second = await Inventory.open(folder);
  expect([...second.networks]).toEqual([[id(2), { spec: networkOf(2), number: 2 }]]);
  expect([...second.members.keys()]).toEqual([`${id(3)}:${id(4)}`]);
  expect(second.portsOf(id(2)).map((port) => port.spec.id)).toEqual([id(4)]);
});

it('gives no two objects a number, though they come at once, and none again at once', async () => {
  const inventory = await Inventory.open(folder);
  await Promise.all([1, 2, 3, 4, 5].map((n) => inventory.put('port', id(n), portOf(n, 9))));
  const numbers = () => [...inventory.ports.values()].map((port) => port.number).sort();
  expect(numbers()).toEqual([1, 2, 3, 4, 5]);
  await inventory.drop('port', id(5));
  await inventory.put('port', id(6), portOf(6, 9));
  expect(numbers()).toEqual([1, 2, 3, 4, 6]);
});

it('leaves out files that are no objects, and refuses ids that are paths', async () => {
  await Inventory.open(folder);
  await writeFile(join(folder, 'network', `${id(1)}.json`), '{"spec":');
  await writeFile(join(folder, 'network', `${id(2)}.json`), '{"spec":{"id":7},"number":1}');
  const inventory = await Inventory.open(folder);
  expect(inventory.networks.size).toBe(0);
  await expect(inventory.put('network', '../escape', networkOf(1))).rejects.toThrow('not an id');
  expect(await readdir(join(folder, '..')).then((names) => names.includes('escape.json'))).toBe(false);
});
