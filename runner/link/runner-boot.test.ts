import { expect, it } from 'vitest';
import type { Machine } from '../driver.ts';
import type { SimulatedMachine } from '../simulated/simulated-machine.ts';
import { startEdge, startRunner } from '../testing/live-runner.ts';
import { temporaryFolder } from '../testing/temporary-folder.ts';
import { running, s1, wholeGuest } from '../testing/whole-guest.ts';

/** A runner whose guest ran, in a folder that the next one takes over. */
async function ranBefore() {
  const edge = await startEdge();
  const folder = temporaryFolder();
  const first = startRunner(edge, { folder });
  await edge.want(wholeGuest);
  await running(edge);
  await edge.until('all reports', () => edge.converged);
  await first.stop();
  return { edge, folder, identity: first.identity() };
}

it('starts nothing after a boot that the edge has given to another machine meanwhile', async () => {
  const { edge, folder, identity } = await ranBefore();
  await edge.want(wholeGuest.map((one) => ({ ...one, spec: null })));
  let starts = 0;
  const wrap = (machine: SimulatedMachine): Machine => {
    const { server } = machine.drivers;
    const apply: typeof server.apply = (wanted, signal) => {
      starts += 1;
      return server.apply(wanted, signal);
    };
    machine.drivers.server = { ...server, apply };
    return machine;
  };
  const { machine } = startRunner(edge, { folder, identity, bootId: 'boot-2', wrap });
  await edge.until('the end of all', () => edge.desired.size === 0);
  expect(machine.held.size).toBe(0);
  expect(starts).toBe(0);
});

it('starts its guests after a boot once the edge says that nothing has changed', async () => {
  const { edge, folder, identity } = await ranBefore();
  const { machine } = startRunner(edge, { folder, identity, bootId: 'boot-2' });
  await edge.until('the guest again', () => machine.held.get(`server/${s1}`)?.starts === 2);
  expect(machine.held.get(`server/${s1}`)?.power).toBe('on');
});
