import type { PortSpec } from '../../shared/specs/network.ts';
import { DriverError } from '../driver.ts';
import { linksByName } from '../host/links.ts';
import { until } from '../host/wait.ts';
import { addLooseTap } from '../network/taps.ts';
import type { ComputeContext } from './context.ts';
import type { SavedGuest } from './guest-record.ts';
import type { LiveGuest } from './live-guest.ts';
import {
  type Interface,
  netdevName,
  netdevOptions,
  nicName,
  nicOptions,
  SPARE_SLOTS,
  slotName,
} from './qemu-arguments.ts';

/** A guest is asked to let go of a device, and takes some seconds; one that does not listen never does. */
const UNPLUG_WAIT_MS = 30_000;
const SLOTS_MAX = 26 + SPARE_SLOTS;
const DEVICES = '/machine/peripheral';

/** Ports with their taps. @throws DriverError for one that is not on this machine yet */
export async function interfacesOf(
  ctx: ComputeContext,
  portIds: readonly string[],
): Promise<{ port: PortSpec; tap: string }[]> {
  const links = await linksByName();
  return portIds.map((id) => {
    const port = ctx.inventory.ports.get(id)?.spec;
    const tap = ctx.names.tap(id);
    if (!port || !links.has(tap)) throw new DriverError(`Port ${id} is not on this machine yet`);
    return { port, tap };
  });
}

/**
 * The interfaces that a saved guest had, as it knows them. For ports that are its own no more there are taps that lead
 * nowhere: its devices need an end of the kind that they had.
 * @param portIds - those that are its own now
 * @returns with the ports whose taps those are, to be removed once they are unplugged
 * @throws DriverError for one of its own that is not on this machine yet
 */
export async function savedInterfaces(
  ctx: ComputeContext,
  saved: SavedGuest,
  portIds: readonly string[],
): Promise<{ interfaces: Interface[]; standIns: string[] }> {
  await interfacesOf(ctx, portIds);
  const links = await linksByName();
  const standIns = saved.interfaces.map(({ port }) => port).filter((port) => !links.has(ctx.names.tap(port)));
  for (const port of standIns) await addLooseTap(ctx.names, port, ctx.user.uid);
  const interfaces = saved.interfaces.map(({ port, slot, mac_address, mtu }) => ({
    port: { id: port, mac_address, mtu },
    slot,
    tap: ctx.names.tap(port),
  }));
  return { interfaces, standIns };
}

/**
 * Plugs and unplugs what a running guest lacks or has too much.
 * @throws DriverError no slot is free, or the guest does not let go
 */
export async function syncInterfaces(ctx: ComputeContext, live: LiveGuest, portIds: readonly string[]): Promise<void> {
  const devices = await deviceNames(live);
  const there = devices.filter((name) => name.startsWith(nicName(''))).map((name) => name.slice(nicName('').length));
  for (const id of there.filter((id) => !portIds.includes(id))) await unplug(live, id);
  const missing = portIds.filter((id) => !there.includes(id));
  for (const { port, tap } of await interfacesOf(ctx, missing)) await plug(live, port, tap);
}

async function deviceNames(live: LiveGuest): Promise<string[]> {
  const children = await live.execute<{ name: string }[]>('qom-list', { path: DEVICES });
  return children.map((child) => child.name);
}

async function plug(live: LiveGuest, port: PortSpec, tap: string): Promise<void> {
  const slot = await freeSlot(live);
  await live.execute('netdev_add', netdevOptions(port.id, tap));
  try {
    await live.execute('device_add', nicOptions(port, slot));
  } catch (error) {
    await live.execute('netdev_del', { id: netdevName(port.id) });
    throw error;
  }
}

async function unplug(live: LiveGuest, portId: string): Promise<void> {
  await live.execute('device_del', { id: nicName(portId) });
  const gone = await until(async () => !(await deviceNames(live)).includes(nicName(portId)), {
    timeout_ms: UNPLUG_WAIT_MS,
  });
  if (!gone) throw new DriverError(`The guest does not let go of port ${portId}: it may not support hotplug`);
  await live.execute('netdev_del', { id: netdevName(portId) });
}

async function freeSlot(live: LiveGuest): Promise<string> {
  const names = await deviceNames(live);
  const nics = names.filter((name) => name.startsWith(nicName('')));
  const buses = await Promise.all(
    nics.map((name) => live.execute<string>('qom-get', { path: `${DEVICES}/${name}`, property: 'parent_bus' })),
  );
  // A bus is a child of its port, under the same name.
  const taken = new Set(buses.map((path) => path.split('/').at(-1)));
  for (let slot = 0; slot < SLOTS_MAX; slot++) {
    const name = slotName(slot);
    if (names.includes(name) && !taken.has(name)) return name;
  }
  throw new DriverError('The guest has no slot left for another port: it gets more at its next start');
}
