import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ServerSpec } from '../../shared/specs/server.ts';
import { DriverError } from '../driver.ts';
import { capturedLog } from '../testing/captured-log.ts';
import { id, networkOf, serverOf } from '../testing/specs.ts';
import { temporaryFolder } from '../testing/temporary-folder.ts';
import { VirtualTime } from '../testing/virtual-time.ts';
import { SIMULATED_CAPACITY, SimulatedMachine } from './simulated-machine.ts';

function setUp(options: { stateDir?: string; bootId?: string; bootDelayMs?: number } = {}) {
  const stateDir = options.stateDir ?? temporaryFolder();
  const time = new VirtualTime();
  const log = capturedLog();
  const rest = options.bootDelayMs === undefined ? {} : { bootDelayMs: options.bootDelayMs };
  const machine = new SimulatedMachine({ stateDir, bootId: options.bootId ?? 'boot-1', time, log, ...rest });
  const abort = new AbortController();
  const apply = (spec: ServerSpec, generation = 1) =>
    machine.drivers.server.apply({ kind: 'server', id: spec.id, generation, spec }, abort.signal);
  const changes: string[] = [];
  machine.onChange((kind, name) => changes.push(`${kind}/${name}`));
  return { machine, stateDir, time, log, abort, apply, changes };
}
const meta = (simulate: string) => ({ metadata: { ...serverOf(1).metadata, meta: { simulate } } });

const HOOKS = { signal: new AbortController().signal, connected: () => true, progress: () => {} };

describe('a simulated machine', () => {
  it('says that it is one', async () => {
    const { machine, log } = setUp();
    expect(machine.capabilities).toContain('simulated');
    expect(log.events()).toEqual(['machine-simulated']);
    expect(await machine.capacity()).toEqual(SIMULATED_CAPACITY);
  });

  it('runs, stops and removes guests, and has nothing of what it never had', async () => {
    const { machine, apply } = setUp();
    expect(await machine.drivers.server.observe(id(1))).toBeNull();
    expect(await apply(serverOf(1))).toEqual({ state: 'running' });
    expect(await apply(serverOf(1, { power: 'off' }))).toEqual({ state: 'stopped' });
    expect(await machine.drivers.server.list()).toEqual([id(1)]);
    await machine.drivers.server.remove(id(1), null);
    await machine.drivers.server.remove(id(1), null);
    expect(await machine.drivers.server.observe(id(1))).toBeNull();
  });

  it('keeps guests beyond its own end, even one in the middle of a write', async () => {
    const before = setUp();
    await before.apply(serverOf(1));
    await before.machine.drivers.network.apply(
      { kind: 'network', id: id(9), generation: 1, spec: networkOf(9) },
      before.abort.signal,
    );
    appendFileSync(join(before.stateDir, 'simulated-machine.jsonl'), '{"kind":"server","id":"half');
    const after = setUp({ stateDir: before.stateDir });
    expect(await after.machine.drivers.server.observe(id(1))).toEqual({ state: 'running' });
    expect(await after.machine.drivers.network.list()).toEqual([id(9)]);
  });

  it('has all guests off after a boot of the machine', async () => {
    const before = setUp();
    await before.apply(serverOf(1));
    const after = setUp({ stateDir: before.stateDir, bootId: 'boot-2' });
    expect(await after.machine.drivers.server.observe(id(1))).toEqual({ state: 'stopped' });
  });

  it('writes hostname and user data on the console, and again after a reboot', async () => {
    const { machine, apply } = setUp();
    const data = Buffer.from('#cloud-config\nruncmd: []\n').toString('base64');
    await apply(serverOf(1, { metadata: { ...serverOf(1).metadata, hostname: 'web', user_data: data } }));
    const read = async (length_lines: number | null) =>
      (await machine.operator.query({ kind: 'console', targetId: id(1), args: { length_lines } })) as {
        output: string;
      };
    expect((await read(null)).output).toContain('#cloud-config\nruncmd: []\n\nweb login: ');
    expect(await read(1)).toEqual({ output: 'web login: ' });
    expect(await read(0)).toEqual({ output: '' });
    const operation = { kind: 'reboot', targetId: id(1), targetEpoch: 1, args: {} };
    await machine.operator.run(operation, HOOKS);
    expect((await read(null)).output.match(/web login/g)).toHaveLength(2);
  });

  it('takes as long to boot as it is told, and can be called off', async () => {
    const { apply, time, abort, machine } = setUp({ bootDelayMs: 5_000 });
    let done = false;
    const boot = apply(serverOf(1)).then(() => {
      done = true;
    });
    await time.pass(4_999);
    expect(done).toBe(false);
    await time.pass(1);
    await boot;
    const other = apply(serverOf(2));
    abort.abort();
    await expect(other).rejects.toThrow(/called off/);
    expect(await machine.drivers.server.observe(id(2))).toBeNull();
  });

  it('has guests misbehave as their metadata asks', async () => {
    const { machine, apply, time, changes } = setUp();
    await expect(apply(serverOf(1, meta('fail')))).rejects.toThrow(DriverError);
    await apply(serverOf(2, meta('crash')));
    await apply(serverOf(3, meta('shutdown')));
    await time.pass(0);
    expect(changes).toEqual([`server/${id(2)}`, `server/${id(3)}`]);
    expect(await machine.drivers.server.observe(id(2))).toEqual({ state: 'stopped', cause: 'crash' });
    expect(await machine.drivers.server.observe(id(3))).toEqual({ state: 'stopped', cause: 'guest' });
  });

  it('refuses what it cannot do with the code of it', async () => {
    const { machine } = setUp();
    const ask = (kind: string) => machine.operator.query({ kind, targetId: id(1), args: {} });
    await expect(ask('console')).rejects.toMatchObject({ fault: { code: 404 } });
    await expect(ask('mind')).rejects.toMatchObject({ fault: { code: 501 } });
  });

  it('holds thousands of guests and writes its file anew before it grows without end', async () => {
    const { machine, stateDir, apply } = setUp();
    for (let number = 0; number < 3_000; number += 1) await apply(serverOf(number));
    for (let round = 2; round < 12; round += 1) {
      for (let number = 0; number < 3_000; number += 1) await apply(serverOf(number, { vcpus: round }), round);
    }
    expect(machine.held.size).toBe(3_000);
    const again = setUp({ stateDir });
    expect(again.machine.held.size).toBe(3_000);
  });
});
