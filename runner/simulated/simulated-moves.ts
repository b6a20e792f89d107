import type { ServerSpec } from '../../shared/specs/server.ts';
import { DriverError, type Outcome } from '../driver.ts';
import type { Held, SimulatedStore } from './simulated-store.ts';

/** Nobody listens there: a simulated guest travels by being said to. */
const ADDRESS = '192.0.2.1';
const PORT = 49_152;

/**
 * What a spec that is about a move makes of a guest.
 * @returns the outcome where nothing else may be done; null where the guest is as any other now
 */
export function settleMove(store: SimulatedStore, spec: ServerSpec): Outcome | null {
  const before = store.held.get(`server/${spec.id}`);
  const text = JSON.stringify(spec);
  if (spec.incoming) {
    const { move_id, what } = spec.incoming;
    store.put({ kind: 'server', id: spec.id, power: 'off', incoming: what, spec: text });
    return awaiting(move_id);
  }
  if (before?.handedOver !== undefined && spec.epoch <= before.handedOver) {
    store.put({ ...before, spec: text });
    return given(spec);
  }
  if (before?.incoming !== undefined || before?.handedOver !== undefined) {
    const { incoming, handedOver, alive, ...rest } = before;
    // With its memory it goes on, where it comes to or back; without, it begins anew.
    const lives = alive || incoming === 'memory';
    store.put({
      ...rest,
      power: lives ? spec.power : 'off',
      spec: text,
      ...(lives ? { starts: rest.starts ?? 1 } : {}),
    });
  }
  return null;
}

const awaiting = (move_id: string): Outcome => ({
  state: 'working',
  detail: { incoming: { move_id, address: ADDRESS, disk_port: PORT, memory_port: PORT } },
});
const given = (spec: ServerSpec): Outcome =>
  spec.power === 'off' ? { state: 'stopped' } : { state: 'working', detail: { handed_over: true } };

/** What is seen of a guest that is on its way; null where it is not. */
export function seenOnItsWay(guest: Held): Outcome | null {
  const spec = JSON.parse(guest.spec) as ServerSpec;
  if (spec.incoming) return awaiting(spec.incoming.move_id);
  return guest.handedOver !== undefined && spec.epoch <= guest.handedOver ? given(spec) : null;
}

/** Gives a guest to another machine: nothing of it runs here from now on. @throws DriverError 409 it was given away */
export function handOver(store: SimulatedStore, guest: Held, kind: 'send-guest' | 'send-disk', epoch: number): void {
  if (kind === 'send-guest' && guest.power !== 'on' && guest.power !== 'paused')
    throw new DriverError(`Server ${guest.id} does not run, so it cannot be moved as it runs.`, { code: 409 });
  store.put({ ...guest, power: 'off', handedOver: epoch, alive: kind === 'send-guest' });
}
