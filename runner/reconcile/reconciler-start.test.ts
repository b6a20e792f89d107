import { describe, expect, it } from 'vitest';
import { DriverError } from '../driver.ts';
import { setUpReconciler as setUp } from '../testing/reconciler-harness.ts';
import { id, networkOf, portOf, serverOf } from '../testing/specs.ts';

const [n1, p1, s1] = [id(1), id(3), id(5)];
const guest = (number: number, ...ports: string[]) => serverOf(number, { ports });

describe('a start', () => {
  /** A guest that ran, then the runner ended; what the driver sees then; in which boot it starts again. */
  async function restarted(options: {
    bootId?: string;
    seen?: 'running' | 'guest' | 'crash' | null;
    report?: boolean;
  }) {
    const before = setUp();
    await before.want(['network', n1, networkOf(1)], ['server', s1, serverOf(5)]);
    if (options.report && options.seen) {
      before.fake.seen.set(`server/${s1}`, { state: 'stopped', cause: options.seen as 'guest' | 'crash' });
      before.reconciler.observe('server', s1);
      await before.time.pass(0);
    }
    await before.close();
    const after = setUp({ path: before.path, bootId: options.bootId ?? 'boot-1' });
    if (options.seen === null) after.fake.seen.set(`server/${s1}`, null);
    else if (options.seen === 'guest' || options.seen === 'crash')
      after.fake.seen.set(`server/${s1}`, { state: 'stopped', cause: options.seen });
    await after.start();
    return after;
  }

  it('adopts a guest that runs', async () => {
    const { fake, observed } = await restarted({ seen: 'running' });
    expect(fake.log).toEqual([`apply network/${n1}`, `observe server/${s1}`, `apply server/${s1}`]);
    expect(observed('server', s1)).toMatchObject({ state: 'running' });
  });

  it('does not start a guest that shut itself down while nobody looked', async () => {
    const { fake, observed, news } = await restarted({ seen: 'guest' });
    expect(fake.log).not.toContain(`apply server/${s1}`);
    expect(observed('server', s1)).toMatchObject({ state: 'stopped', cause: 'guest' });
    expect(news).toContain(`server/${s1}`);
  });

  it('makes a guest that the machine has nothing of', async () => {
    const { fake } = await restarted({ seen: null });
    expect(fake.log).toContain(`apply server/${s1}`);
  });

  it('starts guests again after a boot of the machine, without the edge', async () => {
    const { fake } = await restarted({ bootId: 'boot-2', seen: 'running' });
    expect(fake.log).toEqual([`apply network/${n1}`, `apply server/${s1}`]);
  });

  it('starts a guest that had crashed again after a boot, but not one that had shut itself down', async () => {
    const crashed = await restarted({ bootId: 'boot-2', seen: 'crash', report: true });
    expect(crashed.fake.log).toContain(`apply server/${s1}`);
    const ended = await restarted({ bootId: 'boot-2', seen: 'guest', report: true });
    expect(ended.fake.log).not.toContain(`apply server/${s1}`);
  });

  it('does not try a server again that had failed for good', async () => {
    const before = setUp();
    before.fake.fail.set(`apply server/${s1}`, new DriverError('no such image', { code: 404 }));
    await before.want(['server', s1, serverOf(5)]);
    await before.close();
    const after = setUp({ path: before.path });
    await after.start();
    expect(after.fake.log).toEqual([]);
  });

  it('goes on with a removal that was cut short, with the last spec known', async () => {
    const before = setUp();
    await before.want(['network', n1, networkOf(1)]);
    before.fake.fail.set(`remove network/${n1}`, new Error('killed'));
    await before.want(['network', n1, null]);
    await before.close();
    const after = setUp({ path: before.path });
    await after.start();
    expect(after.fake.log).toEqual([`remove network/${n1}`]);
    expect(after.fake.calls[0]?.last).toMatchObject({ id: n1 });
  });

  it('waits with the removal of a port for the server that goes too', async () => {
    const before = setUp();
    await before.want(['network', n1, networkOf(1)], ['port', p1, portOf(3, 1)], ['server', s1, guest(5, p1)]);
    before.fake.fail.set(`remove server/${s1}`, new Error('killed'));
    await before.want(['server', s1, null], ['port', p1, null], ['network', n1, null]);
    await before.close();
    const after = setUp({ path: before.path });
    await after.start();
    expect(after.fake.log).toEqual([`remove server/${s1}`, `remove port/${p1}`, `remove network/${n1}`]);
  });
});
