import { describe, expect, it } from 'vitest';
import { DriverError } from '../driver.ts';
import { setUpReconciler as setUp, type Wish } from '../testing/reconciler-harness.ts';
import { groupOf, id, memberOf, networkOf, portOf, serverOf } from '../testing/specs.ts';
import { CONCURRENCY_PER_KIND } from './lanes.ts';
import { CLAIM_WAIT_MS } from './reconciler.ts';

const [n1, g1, p1, p2, s1, s2] = [id(1), id(2), id(3), id(4), id(5), id(6)];
const guest = (number: number, ...ports: string[]) => serverOf(number, { ports });

describe('order', () => {
  it('applies a network, its groups and members, then the port, then the server', async () => {
    const { want, fake, observed, idles } = setUp();
    await want(
      ['server', s1, guest(5, p1)],
      ['port', p1, portOf(3, 1, { security_groups: [g1] })],
      ['group-member', `${g1}:${p1}`, memberOf(2, 3)],
      ['security-group', g1, groupOf(2)],
      ['network', n1, networkOf(1)],
    );
    const at = (what: string) => fake.log.indexOf(what);
    expect(fake.log).toHaveLength(5);
    expect(at(`apply network/${n1}`)).toBeLessThan(at(`apply port/${p1}`));
    expect(at(`apply security-group/${g1}`)).toBeLessThan(at(`apply port/${p1}`));
    expect(at(`apply security-group/${g1}`)).toBeLessThan(at(`apply group-member/${g1}:${p1}`));
    expect(at(`apply port/${p1}`)).toBeLessThan(at(`apply server/${s1}`));
    expect(observed('server', s1)).toMatchObject({ state: 'running', generation: 1 });
    expect(idles()).toBeGreaterThan(0);
  });

  it('removes the server first, then the port, then the network', async () => {
    const { want, fake, observed } = setUp();
    await want(['network', n1, networkOf(1)], ['port', p1, portOf(3, 1)], ['server', s1, guest(5, p1)]);
    fake.calls.length = 0;
    await want(['network', n1, null], ['port', p1, null], ['server', s1, null]);
    expect(fake.log).toEqual([`remove server/${s1}`, `remove port/${p1}`, `remove network/${n1}`]);
    expect(fake.calls[1]?.last).toMatchObject({ network_id: n1 });
    expect(observed('network', n1)).toMatchObject({ state: 'absent', generation: 2 });
  });

  it('has a server let go of a port before the port is removed', async () => {
    const { want, fake } = setUp();
    await want(['network', n1, networkOf(1)], ['port', p1, portOf(3, 1)], ['server', s1, guest(5, p1)]);
    fake.calls.length = 0;
    await want(['port', p1, null], ['server', s1, guest(5)]);
    expect(fake.log).toEqual([`apply server/${s1}`, `remove port/${p1}`]);
  });

  it('removes a port before another takes its address', async () => {
    const { want, fake } = setUp();
    await want(['network', n1, networkOf(1)], ['port', p1, portOf(3, 1)]);
    fake.calls.length = 0;
    await want(['port', p2, portOf(4, 1, { mac_address: portOf(3, 1).mac_address })], ['port', p1, null]);
    expect(fake.log).toEqual([`remove port/${p1}`, `apply port/${p2}`]);
  });

  it('takes a port from one server before another gets it', async () => {
    const { want, fake } = setUp();
    await want(['network', n1, networkOf(1)], ['port', p1, portOf(3, 1)], ['server', s1, guest(5, p1)]);
    fake.calls.length = 0;
    await want(['server', s2, guest(6, p1)], ['server', s1, guest(5)]);
    expect(fake.log).toEqual([`apply server/${s1}`, `apply server/${s2}`]);
  });

  it('does not wait for ever when two servers swap their ports', async () => {
    const { want, fake, time } = setUp();
    const network: Wish = ['network', n1, networkOf(1)];
    await want(network, ['port', p1, portOf(3, 1)], ['port', p2, portOf(4, 1)]);
    await want(['server', s1, guest(5, p1)], ['server', s2, guest(6, p2)]);
    fake.calls.length = 0;
    await want(['server', s1, guest(5, p2)], ['server', s2, guest(6, p1)]);
    expect(fake.log).toEqual([]);
    await time.pass(CLAIM_WAIT_MS);
    expect(fake.log.sort()).toEqual([`apply server/${s1}`, `apply server/${s2}`]);
  });

  it('runs no more calls of a kind at once than it may', async () => {
    const { want, fake } = setUp();
    const many = Array.from({ length: 40 }, (_, index) => id(100 + index));
    for (const one of many) fake.hold.add(`apply network/${one}`);
    await want(...many.map((one): Wish => ['network', one, { ...networkOf(1), id: one }]));
    expect(fake.running).toBe(CONCURRENCY_PER_KIND);
    fake.hold.clear();
    for (const call of [...fake.held.keys()]) fake.release(call);
    await want();
    expect(fake.log).toHaveLength(40);
    expect(fake.runningMax).toBe(CONCURRENCY_PER_KIND);
  });
});

describe('needs that are not met', () => {
  it('fails a server whose port is not wanted here, and applies it when the port comes', async () => {
    const { want, fake, observed } = setUp();
    await want(['server', s1, guest(5, p1)]);
    expect(observed('server', s1)).toMatchObject({ state: 'failed', fault: { code: 424 } });
    await want(['network', n1, networkOf(1)], ['port', p1, portOf(3, 1)]);
    expect(observed('server', s1)).toMatchObject({ state: 'running' });
    expect(fake.log.at(-1)).toBe(`apply server/${s1}`);
  });

  it('fails what needs a network that keeps failing, and heals when that does', async () => {
    const { want, fake, observed, time } = setUp();
    fake.fail.set(`apply network/${n1}`, new Error('no bridge'));
    await want(['network', n1, networkOf(1)], ['port', p1, portOf(3, 1)], ['server', s1, guest(5, p1)]);
    expect(observed('network', n1)).toMatchObject({ state: 'failed', fault: { message: 'no bridge' } });
    expect(observed('server', s1)).toBeNull();
    await time.pass(3_000);
    expect(observed('port', p1)?.fault?.message).toMatch(/needs network .* which failed: no bridge/);
    expect(observed('server', s1)?.fault?.message).toMatch(/needs port .* which failed/);
    fake.fail.clear();
    await time.pass(60_000);
    expect(observed('server', s1)).toMatchObject({ state: 'running' });
  });
});

describe('the newest wish', () => {
  it('skips what was overtaken before it began, and calls off what runs', async () => {
    const { want, fake, observed } = setUp();
    fake.hold.add(`apply server/${s1}`);
    await want(['server', s1, serverOf(5)]);
    await want(['server', s1, serverOf(5, { vcpus: 2 })]);
    await want(['server', s1, serverOf(5, { vcpus: 3 })]);
    expect(fake.calls).toHaveLength(1);
    expect(fake.calls[0]?.signal?.aborted).toBe(true);
    fake.hold.clear();
    fake.reject(`apply server/${s1}`, new Error('called off'));
    await want();
    expect(fake.calls.map((call) => call.generation)).toEqual([1, 3]);
    expect(observed('server', s1)).toMatchObject({ state: 'running', generation: 3 });
  });

  it('does not report the outcome of an overtaken wish', async () => {
    const { want, fake, observed, news } = setUp();
    fake.hold.add(`apply server/${s1}`);
    await want(['server', s1, serverOf(5)]);
    await want(['server', s1, serverOf(5, { power: 'off' })]);
    fake.release(`apply server/${s1}`);
    await want();
    expect(news).toEqual([]);
    fake.release(`apply server/${s1}`, { state: 'stopped' });
    await want();
    expect(observed('server', s1)).toMatchObject({ state: 'stopped', generation: 2 });
  });

  it('removes what was being made when it is no longer wanted, and makes it again when it is', async () => {
    const { want, fake, observed } = setUp();
    fake.hold.add(`apply server/${s1}`);
    await want(['server', s1, serverOf(5)]);
    await want(['server', s1, null]);
    await want(['server', s1, serverOf(5)]);
    fake.hold.clear();
    fake.release(`apply server/${s1}`);
    await want();
    expect(fake.log).toEqual([`apply server/${s1}`, `apply server/${s1}`]);
    expect(observed('server', s1)).toMatchObject({ state: 'running', generation: 3 });
  });

  it('never runs two calls for one object at one time', async () => {
    const { want, fake, reconciler } = setUp();
    fake.hold.add(`apply server/${s1}`);
    await want(['server', s1, serverOf(5)]);
    reconciler.observe('server', s1);
    await want(['server', s1, null]);
    expect(fake.running).toBe(1);
    fake.release(`apply server/${s1}`);
    await want();
    expect(fake.runningMax).toBe(1);
    expect(fake.log).toEqual([`apply server/${s1}`, `remove server/${s1}`]);
  });
});

describe('failures', () => {
  it('tries a server three times and then leaves it alone', async () => {
    const { want, fake, observed, time, news } = setUp();
    fake.fail.set(`apply server/${s1}`, new Error('out of memory'));
    await want(['server', s1, serverOf(5)]);
    expect(news).toEqual([]);
    await time.pass(600_000);
    expect(fake.log).toHaveLength(3);
    expect(observed('server', s1)).toMatchObject({ state: 'failed', fault: { code: 500, message: 'out of memory' } });
    fake.fail.clear();
    await want(['server', s1, serverOf(5, { vcpus: 2 })]);
    expect(observed('server', s1)).toMatchObject({ state: 'running', generation: 2 });
  });

  it('does not try again where the driver says that it is of no use', async () => {
    const { want, fake, observed, time } = setUp();
    const fault = new DriverError('the image is damaged', { code: 422, details: 'sha256' });
    fake.fail.set(`apply server/${s1}`, fault);
    await want(['server', s1, serverOf(5)]);
    await time.pass(600_000);
    expect(fake.log).toHaveLength(1);
    expect(observed('server', s1)?.fault).toEqual({ code: 422, message: 'the image is damaged', details: 'sha256' });
  });

  it('takes an outcome failed as the last word on a server', async () => {
    const { want, fake, observed, time } = setUp();
    fake.fail.set(`apply server/${s1}`, { state: 'failed', fault: { code: 500, message: 'no boot' } });
    await want(['server', s1, serverOf(5)]);
    await time.pass(600_000);
    expect(fake.log).toHaveLength(1);
    expect(observed('server', s1)?.fault?.message).toBe('no boot');
  });

  it('tries a network for as long as it takes, ever more seldom', async () => {
    const { want, fake, time, observed } = setUp();
    fake.fail.set(`apply network/${n1}`, new Error('nft is busy'));
    await want(['network', n1, networkOf(1)]);
    await time.pass(30_000);
    const early = fake.log.length;
    expect(early).toBeGreaterThan(4);
    await time.pass(3_600_000);
    expect(fake.log.length - early).toBeLessThan(70);
    fake.fail.clear();
    await time.pass(60_000);
    expect(observed('network', n1)).toMatchObject({ state: 'applied' });
  });

  it('tries a removal again and reports it when it keeps failing', async () => {
    const { want, fake, time, observed } = setUp();
    await want(['server', s1, serverOf(5)]);
    fake.fail.set(`remove server/${s1}`, new Error('the disk is busy'));
    await want(['server', s1, null]);
    await time.pass(0);
    expect(observed('server', s1)?.generation).toBe(1);
    await time.pass(5_000);
    expect(observed('server', s1)).toMatchObject({ state: 'failed', generation: 2 });
    fake.fail.clear();
    await time.pass(60_000);
    expect(observed('server', s1)).toMatchObject({ state: 'absent', generation: 2 });
  });

  it('keeps a fault within what the protocol carries', async () => {
    const { want, fake, observed } = setUp();
    const fault = new DriverError('m'.repeat(5_000), { code: 422, details: 'd'.repeat(50_000) });
    fake.fail.set(`apply server/${s1}`, fault);
    await want(['server', s1, serverOf(5)]);
    expect(observed('server', s1)?.fault?.message).toHaveLength(1024);
    expect(observed('server', s1)?.fault?.details).toHaveLength(8192);
  });

  it('reports a spec that it cannot read, without a call of the driver', async () => {
    const { want, fake, observed } = setUp();
    await want(['server', s1, { ...serverOf(5), vcpus: 'many' }]);
    expect(fake.log).toEqual([]);
    expect(observed('server', s1)?.fault).toMatchObject({ code: 422, message: expect.stringMatching(/vcpus/) });
  });

  it('reports a kind that it does not know, and its removal', async () => {
    const { want, observed } = setUp();
    await want(['load-balancer', id(9), { any: 1 }]);
    expect(observed('load-balancer', id(9))).toMatchObject({ state: 'failed', fault: { code: 501 } });
    await want(['load-balancer', id(9), null]);
    expect(observed('load-balancer', id(9))).toMatchObject({ state: 'absent' });
  });

  it('refuses an epoch that is over', async () => {
    const { want, fake, observed } = setUp();
    await want(['server', s1, serverOf(5, { epoch: 4 })]);
    fake.calls.length = 0;
    await want(['server', s1, serverOf(5, { epoch: 3 })]);
    expect(fake.log).toEqual([]);
    expect(observed('server', s1)).toMatchObject({ state: 'failed', fault: { code: 409 } });
  });
});

describe('what happens by itself', () => {
  it('looks at what changed and reports what it sees', async () => {
    const { want, fake, reconciler, observed, news, time } = setUp();
    await want(['server', s1, serverOf(5)]);
    news.length = 0;
    fake.seen.set(`server/${s1}`, { state: 'stopped', cause: 'guest' });
    reconciler.observe('server', s1);
    await time.pass(0);
    expect(observed('server', s1)).toMatchObject({ state: 'stopped', cause: 'guest', generation: 1 });
    expect(news).toEqual([`server/${s1}`]);
  });

  it('says that a guest crashed when the machine has nothing of it any more', async () => {
    const { want, fake, reconciler, observed, time } = setUp();
    await want(['server', s1, serverOf(5)]);
    fake.seen.set(`server/${s1}`, null);
    reconciler.observe('server', s1);
    await time.pass(0);
    expect(observed('server', s1)).toMatchObject({ state: 'stopped', cause: 'crash' });
  });

  it('makes a network again that is gone', async () => {
    const { want, fake, reconciler, time } = setUp();
    await want(['network', n1, networkOf(1)]);
    fake.seen.set(`network/${n1}`, null);
    reconciler.observe('network', n1);
    await time.pass(0);
    expect(fake.log).toEqual([`apply network/${n1}`, `observe network/${n1}`, `apply network/${n1}`]);
  });

  it('looks again when a look fails', async () => {
    const { want, fake, reconciler, observed, time } = setUp();
    await want(['server', s1, serverOf(5)]);
    fake.fail.set(`observe server/${s1}`, new Error('QMP is busy'));
    fake.seen.set(`server/${s1}`, { state: 'stopped', cause: 'guest' });
    reconciler.observe('server', s1);
    await time.pass(0);
    fake.fail.clear();
    await time.pass(2_000);
    expect(observed('server', s1)).toMatchObject({ state: 'stopped' });
  });
});

describe('operations', () => {
  const task = (log: string[], until?: Promise<void>) => ({
    run: async () => {
      log.push('run');
      await until;
    },
    gone: () => log.push('gone'),
  });

  it('run after what is under way for their object, and it is looked at afterwards', async () => {
    const { want, fake, reconciler, time } = setUp();
    fake.hold.add(`apply server/${s1}`);
    await want(['server', s1, serverOf(5)]);
    const log: string[] = [];
    expect(reconciler.enqueue('server', s1, task(log))).toBe(true);
    await time.settle();
    expect(log).toEqual([]);
    fake.release(`apply server/${s1}`);
    await time.pass(0);
    expect(log).toEqual(['run']);
    expect(fake.log.at(-1)).toBe(`observe server/${s1}`);
  });

  it('are told when their object goes before they ran', async () => {
    const { want, fake, reconciler, time } = setUp();
    fake.hold.add(`apply server/${s1}`);
    await want(['server', s1, serverOf(5)]);
    const log: string[] = [];
    reconciler.enqueue('server', s1, task(log));
    await want(['server', s1, null]);
    fake.release(`apply server/${s1}`);
    await time.pass(0);
    expect(log).toEqual(['gone']);
    expect(reconciler.enqueue('server', s1, task(log))).toBe(false);
  });
});
