import { expect, it } from 'vitest';
import { METERS, type Meter } from '../../shared/meters.ts';
import { sample } from '../../shared/protocol/messages.ts';
import { capturedLog } from '../testing/captured-log.ts';
import { NaiveReceiver } from '../testing/naive-receiver.ts';
import { id, portOf, serverOf } from '../testing/specs.ts';
import { temporaryFolder } from '../testing/temporary-folder.ts';
import { VirtualTime } from '../testing/virtual-time.ts';
import { SimulatedMachine } from './simulated-machine.ts';

function open(stateDir: string, bootId: string, time: VirtualTime) {
  const machine = new SimulatedMachine({ stateDir, bootId, time, log: capturedLog() });
  const [collector] = machine.collectors('runner');
  const { signal } = new AbortController();
  return {
    collect: async () => (await collector?.collect()) ?? [],
    server: (power: 'on' | 'off') =>
      machine.drivers.server.apply({ kind: 'server', id: id(1), generation: 1, spec: serverOf(1, { power }) }, signal),
    port: () => machine.drivers.port.apply({ kind: 'port', id: id(2), generation: 1, spec: portOf(2, 9) }, signal),
  };
}

it('a simulated machine says the same of the same objects at the same time, in known meters, and what it counts rises', async () => {
  const [time, stateDir] = [new VirtualTime(), temporaryFolder()];
  const machine = open(stateDir, 'boot-1', time);
  await machine.server('on');
  await machine.port();
  const told = new NaiveReceiver();
  for (let round = 0; round < 5; round++) {
    const samples = await machine.collect();
    expect(await machine.collect()).toEqual(samples);
    for (const one of samples) {
      expect(sample.parse(one)).toEqual(one);
      for (const meter of Object.keys(one.values)) expect(METERS[meter as Meter]?.of).toBe(one.type);
    }
    told.take(samples);
    await time.pass(10_000);
  }
  expect(told.sum(id(1), 'cpu.time')).toBeGreaterThan(0);
  expect(told.sum(id(2), 'network.outgoing.bytes')).toBeGreaterThan(told.sum(id(2), 'public.egress.bytes'));
  // Another process of the runner, and then another boot.
  const again = open(stateDir, 'boot-1', time);
  expect(await again.collect()).toEqual(await machine.collect());
  told.take(await again.collect());
  expect(told.epochs(id(1), 'cpu.time')).toBe(1);
  const booted = open(stateDir, 'boot-2', time);
  expect((await booted.collect()).filter((one) => one.type === 'server')).toEqual([]);
  await booted.server('on');
  told.take(await booted.collect());
  expect(told.epochs(id(1), 'cpu.time')).toBe(2);
  expect(told.epochs(id(2), 'network.outgoing.bytes')).toBe(2);
});

it('a guest that is off uses nothing, and begins from zero when it is on again', async () => {
  const time = new VirtualTime();
  const machine = open(temporaryFolder(), 'boot-1', time);
  await machine.server('on');
  await time.pass(60_000);
  await machine.server('off');
  expect((await machine.collect()).filter((one) => one.type === 'server')).toEqual([]);
  await time.pass(60_000);
  await machine.server('on');
  const [again] = (await machine.collect()).filter((one) => one.type === 'server');
  expect(again?.values).toMatchObject({ 'cpu.time': 0, 'disk.read.bytes': 0 });
});
