import type { IncomingGuest, ServerSpec } from '../../../shared/specs/server.ts';
import { DriverError, type Outcome } from '../../driver.ts';
import { until } from '../../host/wait.ts';
import type { ComputeContext } from '../context.ts';
import { guestPaths } from '../guest-paths.ts';
import type { GuestRecord } from '../guest-record.ts';
import type { Guests } from '../guests.ts';
import type { LiveGuest } from '../live-guest.ts';
import { CREDENTIALS, giveKey, takeKey } from './move-keys.ts';
import { freePorts } from './ports.ts';

/** The disk's name to the machine that sends it. */
export const EXPORT = 'root';
const LISTEN_TRIES_MAX = 5;
/** The other side has sent everything: what is left to do takes no time. */
const ARRIVAL_WAIT_MS = 10_000;

/** Makes ready for a guest that comes with its memory, in a process that waits for it and runs nothing. */
export async function receiveGuest(
  ctx: ComputeContext,
  guests: Guests,
  wish: { spec: ServerSpec; incoming: IncomingGuest; generation: number; signal: AbortSignal },
  found: { record: GuestRecord; live: LiveGuest | null },
): Promise<Outcome> {
  const { spec, incoming, generation, signal } = wish;
  const { record, live } = found;
  if (record.incoming?.move_id === incoming.move_id) {
    if (!live) throw new DriverError('The process that waited for the guest ended', { code: 410 });
    await guests.keep(spec.id, { ...record, generation });
    return waiting(record);
  }
  if (live) await guests.end(live);
  const fresh = await guests.dropDisk(spec, unmoved({ ...record, generation }));
  const started = await guests.launchWaiting(spec, fresh, signal);
  const address = await ctx.moveAddress();
  const [disk_port, memory_port] = await listen(ctx, started, incoming, address);
  const kept: GuestRecord = {
    ...((await guests.record(spec.id)) ?? fresh),
    incoming: { move_id: incoming.move_id, address, disk_port, memory_port },
  };
  await guests.keep(spec.id, kept);
  return waiting(kept);
}

/** A record that knows of no move: an earlier one is over. */
export const unmoved = (record: GuestRecord): GuestRecord => ({ ...record, handed_over: null, incoming: null });

/** What the edge is told while a guest is awaited. */
export const waiting = ({ incoming }: Pick<GuestRecord, 'incoming'>): Outcome => ({
  state: 'working',
  detail: { incoming },
});

async function listen(
  ctx: ComputeContext,
  live: LiveGuest,
  { key }: IncomingGuest,
  address: string,
): Promise<[number, number]> {
  const paths = guestPaths(ctx.stateDir, live.id);
  await giveKey(live, { paths, user: ctx.user, key, endpoint: 'server' });
  const capabilities = ['return-path', 'events'].map((capability) => ({ capability, state: true }));
  await live.execute('migrate-set-capabilities', { capabilities });
  await live.execute('migrate-set-parameters', { 'tls-creds': CREDENTIALS });
  for (let attempt = 1; ; attempt += 1) {
    const [disk = 0, memory = 0] = await freePorts(address, 2, ctx.random);
    try {
      const addr = { type: 'inet', data: { host: address, port: String(disk) } };
      await live.execute('nbd-server-stop').catch(() => {});
      await live.execute('nbd-server-start', { addr, 'tls-creds': CREDENTIALS });
      await live.execute('migrate-incoming', { uri: `tcp:${host(address)}:${memory}` });
      if (hasDisk(ctx, live.id)) {
        const exported = { type: 'nbd', id: 'move', 'node-name': 'root', name: EXPORT, writable: true };
        await live.execute('block-export-add', exported);
      }
      return [disk, memory];
    } catch (error) {
      // Somebody else was faster to a port.
      if (attempt >= LISTEN_TRIES_MAX) throw error;
    }
  }
}

const hasDisk = (ctx: ComputeContext, id: string) => ctx.inventory.servers.get(id)?.spec.image.disk_format !== 'iso';

/** An address as it stands in a URI. */
export const host = (address: string): string => (address.includes(':') ? `[${address}]` : address);

/**
 * The guest is this machine's now: its process stops listening, and stands still until it is let run.
 * @returns false where it had not come whole, and its process was ended
 */
export async function arrived(ctx: ComputeContext, guests: Guests, live: LiveGuest): Promise<boolean> {
  const whole = await until(async () => (await live.status()) !== 'inmigrate', { timeout_ms: ARRIVAL_WAIT_MS });
  if (!whole) {
    await guests.end(live);
    return false;
  }
  await live.execute('nbd-server-stop').catch(() => {});
  await takeKey(live, guestPaths(ctx.stateDir, live.id));
  return true;
}
