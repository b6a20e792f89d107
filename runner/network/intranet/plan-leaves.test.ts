import { expect, it } from 'vitest';
import type { SpecOf } from '../../../shared/specs/kinds.ts';
import { id, portOf } from '../../testing/specs.ts';
import { temporaryFolder } from '../../testing/temporary-folder.ts';
import { Inventory } from '../inventory.ts';
import { planLeaves } from './plan-leaves.ts';

type Exception = SpecOf<'intranet-exception'>;
const NOW_MS = 1_000_000;
let made = 0;

async function machineWith(...exceptions: Partial<Exception>[]): Promise<Inventory> {
  const inventory = await Inventory.open(temporaryFolder());
  await inventory.put('port', id(3), portOf(3, 1, { project_id: 'blue' }));
  await inventory.put('port', id(4), portOf(4, 1, { project_id: 'blue' }));
  await inventory.put('port', id(5), portOf(5, 1, { project_id: 'red' }));
  for (const change of exceptions) {
    const none = { protocol: null, port_range_min: null, port_range_max: null, expires_at_ms: null };
    const source = { type: 'project', id: 'blue' } as const;
    const spec = { id: id(++made), source, destination: '10.0.0.0/8', ...none, ...change };
    await inventory.put('intranet-exception', spec.id, spec);
  }
  return inventory;
}

const elementsOf = (inventory: Inventory) =>
  [...planLeaves(inventory, NOW_MS).sets].map(([name, set]) => [
    name.replace(/^leave-[0-9a-f]+-/, ''),
    ...set.elements.keys(),
  ]);

it('gives ports with the same exceptions one chain, and others none', async () => {
  const { chains, chainOf } = planLeaves(await machineWith({}), NOW_MS);
  expect(chains.size).toBe(1);
  expect([...chainOf.keys()]).toEqual([id(3), id(4)]);
});

it('leaves out what has ended', async () => {
  const inventory = await machineWith(
    { expires_at_ms: NOW_MS },
    { destination: '10.1.0.0/16', expires_at_ms: NOW_MS + 1 },
  );
  expect(elementsOf(inventory)).toEqual([['4-0', '10.1.0.0/16 . 0-255 . 0-65535']]);
});

it('keeps destinations within others apart by depth, and overlaps within none', async () => {
  const tcp = (destination: string, low: number, high: number) => ({
    destination,
    protocol: 6,
    port_range_min: low,
    port_range_max: high,
  });
  const inventory = await machineWith(
    tcp('10.0.0.0/8', 80, 90),
    tcp('10.0.0.0/8', 85, 99),
    tcp('10.0.0.0/8', 22, 22),
    { protocol: 1 },
    tcp('10.1.0.0/16', 1, 2),
    { destination: '10.1.2.0/24' },
    tcp('10.1.2.0/24', 80, 80),
    tcp('10.2.0.0/16', 3, 4),
    tcp('fd00::/8', 80, 80),
  );
  expect(elementsOf(inventory)).toEqual([
    ['4-0', '10.0.0.0/8 . 6 . 22', '10.0.0.0/8 . 6 . 80-99', '10.0.0.0/8 . 1 . 0-65535'],
    ['4-1', '10.1.0.0/16 . 6 . 1-2', '10.2.0.0/16 . 6 . 3-4'],
    ['4-2', '10.1.2.0/24 . 0-255 . 0-65535'],
    ['6-0', 'fd00::/8 . 6 . 80'],
  ]);
});
