import { expect, it } from 'vitest';
import { capturedLog } from '../../testing/captured-log.ts';
import { id } from '../../testing/specs.ts';
import { temporaryFolder } from '../../testing/temporary-folder.ts';
import type { Firewall } from '../firewall/firewall.ts';
import { Inventory } from '../inventory.ts';
import { Names } from '../names.ts';
import { IntranetWatch } from './intranet-watch.ts';

const EXPIRES_MS = 1_000_000;
const YEAR_MS = 365 * 86_400_000;

it('loads the rules whenever the clock passes the end of an exception, also by a jump, forward or back', async () => {
  const inventory = await Inventory.open(temporaryFolder());
  await inventory.put('intranet-exception', id(1), {
    id: id(1),
    source: { type: 'project', id: 'p' },
    destination: '10.0.0.0/8',
    protocol: null,
    port_range_min: null,
    port_range_max: null,
    expires_at_ms: EXPIRES_MS,
  });
  let nowMs = 0;
  let loads = 0;
  const firewall = { sync: async () => void loads++ } as unknown as Firewall;
  const clock = { nowMs: () => nowMs };
  const watch = new IntranetWatch(firewall, { names: new Names('aeclk'), inventory, clock, log: capturedLog() });
  const loadsAt = async (ms: number) => {
    nowMs = ms;
    loads = 0;
    await watch.round();
    return loads;
  };
  expect(await loadsAt(EXPIRES_MS - 1)).toBe(0);
  expect(await loadsAt(YEAR_MS)).toBe(1);
  expect(await loadsAt(YEAR_MS + 1)).toBe(0);
  expect(await loadsAt(EXPIRES_MS - 1)).toBe(1);
  expect(await loadsAt(0)).toBe(0);
});
