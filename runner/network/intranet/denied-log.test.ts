import { expect, it, vi } from 'vitest';
import { capturedLog } from '../../testing/captured-log.ts';
import { id, networkOf, portOf } from '../../testing/specs.ts';
import { temporaryFolder } from '../../testing/temporary-folder.ts';
import { Inventory } from '../inventory.ts';
import { Names } from '../names.ts';
import { DeniedLog } from './denied-log.ts';
import { type Count, readCounts } from './read-counts.ts';

vi.mock('./read-counts.ts');

it('counts a packet once, whichever of two readings ends first', async () => {
  const inventory = await Inventory.open(temporaryFolder());
  await inventory.put('network', id(1), networkOf(1));
  await inventory.put('port', id(2), portOf(2, 1));
  await inventory.put('intranet', 'filter', { prefixes: ['10.0.0.0/8'], dry_run: false });
  const number = inventory.ports.get(id(2))?.number ?? 0;
  const countOf = (packets: number): Count[] => [
    { key: 'k', sender: { number }, destination: '10.0.0.1', protocol: 6, port: 80, packets, bytes: 40 * packets },
  ];
  let first = (_: Count[]) => {};
  const held = new Promise<Count[]>((resolve) => {
    first = resolve;
  });
  vi.mocked(readCounts).mockReturnValueOnce(held).mockResolvedValueOnce(countOf(2));
  const log = new DeniedLog(new Names('aecnt'), inventory, { nowMs: () => 0 }, capturedLog());
  const reading = log.read();
  const asked = log.answer({});
  await new Promise((resolve) => setImmediate(resolve));
  first(countOf(1));
  await reading;
  await asked;
  vi.mocked(readCounts).mockResolvedValueOnce(countOf(2));
  expect((await log.answer({})).flows).toMatchObject([{ packets: 2, bytes: 80 }]);
});
