import { describe, expect, it } from 'vitest';
import type { Machine, Operator } from '../driver.ts';
import type { SimulatedMachine } from '../simulated/simulated-machine.ts';
import type { FakeEdge } from '../testing/fake-edge.ts';
import { enrolled, startEdge, startRunner } from '../testing/live-runner.ts';
import { id, serverOf } from '../testing/specs.ts';
import { temporaryFolder } from '../testing/temporary-folder.ts';
import { poke, running, s1, s2 } from '../testing/whole-guest.ts';

describe('operations', () => {
  const update = (edge: FakeEdge, op: string, state: string) =>
    edge.until(`${op} ${state}`, () =>
      edge.heard('operation-update').find((one) => one.op_id === op && one.state === state),
    );

  it('run once, however often they are asked', async () => {
    const edge = await startEdge();
    const { machine } = startRunner(edge);
    await edge.want([{ kind: 'server', id: s1, spec: serverOf(3) }]);
    await running(edge);
    edge.operate({ op_id: 'op', target_id: s1 });
    await update(edge, 'op', 'done');
    edge.operate({ op_id: 'op', target_id: s1 });
    await edge.until(
      'the same answer',
      () => edge.heard('operation-update').filter((one) => one.state === 'done').length > 1,
    );
    expect(machine.held.get(`server/${s1}`)?.console?.match(/Restarting system/g)).toHaveLength(1);
  });

  it('run after the guest they are for is there, when both come at once', async () => {
    const edge = await startEdge();
    const { machine } = startRunner(edge);
    await edge.until('a welcome', () => edge.live);
    await edge.want([{ kind: 'server', id: s1, spec: serverOf(3) }]);
    edge.operate({ op_id: 'op', target_id: s1 });
    await update(edge, 'op', 'done');
    expect(machine.held.get(`server/${s1}`)?.console).toMatch(/Restarting system/);
  });

  it('end with a fault when they are late, for another epoch, or for nobody', async () => {
    const edge = await startEdge();
    startRunner(edge);
    await edge.want([{ kind: 'server', id: s1, spec: serverOf(3, { epoch: 2 }) }]);
    await running(edge);
    edge.operate({ op_id: 'late', target_id: s1, target_epoch: 2, deadline_ms: Date.now() - 60_000 });
    edge.operate({ op_id: 'epoch', target_id: s1, target_epoch: 1 });
    edge.operate({ op_id: 'nobody', target_id: s2, target_epoch: 1 });
    edge.operate({ op_id: 'kind', target_id: s1, target_epoch: 2, kind: 'juggle' });
    const codes = [];
    for (const op of ['late', 'epoch', 'nobody', 'kind']) codes.push((await update(edge, op, 'failed')).fault?.code);
    expect(codes).toEqual([504, 409, 404, 501]);
  });

  it('are answered after a restart as they ended before it, without running again', async () => {
    const edge = await startEdge();
    const folder = temporaryFolder();
    const identity = enrolled(edge);
    const first = startRunner(edge, { folder, identity });
    await edge.want([{ kind: 'server', id: s1, spec: serverOf(3) }]);
    await running(edge);
    edge.operate({ op_id: 'op', target_id: s1 });
    await update(edge, 'op', 'done');
    await first.stop();
    await edge.until('the end of the session', () => !edge.live);
    const again = edge.operations.get('op');
    if (again) again.ended = false;
    const said = edge.said.length;
    const second = startRunner(edge, { folder, identity });
    await edge.until('the same answer', () =>
      edge.said.slice(said).some(({ message }) => message.type === 'operation-update' && message.state === 'done'),
    );
    expect(second.machine.held.get(`server/${s1}`)?.console?.match(/Restarting system/g)).toHaveLength(1);
  });

  it('tell their end again until the edge has stored it', async () => {
    const edge = await startEdge();
    const { machine } = startRunner(edge);
    await edge.want([{ kind: 'server', id: s1, spec: serverOf(3) }]);
    await running(edge);
    const first = edge.live;
    edge.deaf = true;
    edge.operate({ op_id: 'op', target_id: s1 });
    await edge.until(
      'the reboot',
      () => machine.held.get(`server/${s1}`)?.console?.includes('Restarting') || poke(edge),
    );
    edge.deaf = false;
    first?.cut();
    await update(edge, 'op', 'done');
    expect(machine.held.get(`server/${s1}`)?.console?.match(/Restarting system/g)).toHaveLength(1);
  });

  const cacheOf = (op: string, of: object = {}) => ({
    op_id: op,
    kind: 'cache-image',
    target_kind: 'image' as const,
    target_id: id(7),
    target_epoch: 0,
    ...of,
  });

  it('for an image need nothing of it here, and are refused when late or not known', async () => {
    const edge = await startEdge();
    startRunner(edge);
    await edge.until('a welcome', () => edge.live);
    edge.operate(cacheOf('late', { deadline_ms: Date.now() - 60_000 }));
    edge.operate(cacheOf('kind', { kind: 'juggle' }));
    edge.operate(cacheOf('op'));
    const codes = [];
    for (const op of ['late', 'kind']) codes.push((await update(edge, op, 'failed')).fault?.code);
    expect(codes).toEqual([504, 501]);
    await update(edge, 'op', 'done');
  });

  it('for images run one at a time, end at their deadline, and are taken up by the next process', async () => {
    const edge = await startEdge();
    const folder = temporaryFolder();
    const identity = enrolled(edge);
    const begun: string[] = [];
    const under = { way: 0, wayMax: 0 };
    const hanging: Operator['run'] = ({ args }, { signal }) => {
      begun.push(String(args.name));
      under.wayMax = Math.max(under.wayMax, ++under.way);
      const calledOff = new Promise<never>((_, reject) =>
        signal.addEventListener('abort', () => reject(new Error('called off'))),
      );
      return calledOff.finally(() => under.way--);
    };
    const wrap = (machine: SimulatedMachine): Machine => ({
      ...{
        hypervisor: machine.hypervisor,
        capabilities: [],
        tunnelIp: null,
        physicalNetworks: [],
        drivers: machine.drivers,
      },
      operator: { ...machine.operator, run: hanging },
      capacity: () => machine.capacity(),
      onChange: (listener) => machine.onChange(listener),
      acknowledged: () => {},
      collectors: () => [],
      close: () => machine.close(),
    });
    const first = startRunner(edge, { folder, identity, wrap });
    await edge.until('a welcome', () => edge.live);
    edge.operate(cacheOf('short', { args: { name: 'short' }, deadline_ms: Date.now() + 1000 }));
    edge.operate(cacheOf('long', { args: { name: 'long' } }));
    expect((await update(edge, 'short', 'failed')).fault?.code).toBe(504);
    await edge.until('the next one', () => begun.includes('long') || poke(edge));
    expect([begun, under.wayMax]).toEqual([['short', 'long'], 1]);
    await first.stop();
    await edge.until('the end of the session', () => !edge.live);
    expect(edge.heard('operation-update').filter((one) => one.op_id === 'long' && one.state !== 'accepted')).toEqual(
      [],
    );
    startRunner(edge, { folder, identity });
    await update(edge, 'long', 'done');
  });
});
