import { type Driver, DriverError, type Outcome, type Wanted } from '../driver.ts';
import { isErrno } from '../host/files.ts';
import type { ComputeContext } from './context.ts';
import { type GuestRecord, NEW_GUEST } from './guest-record.ts';
import type { Guests } from './guests.ts';
import { syncInterfaces } from './interfaces.ts';
import type { GuestStatus, LiveGuest } from './live-guest.ts';

/** Keeps guests as their specs say. */
export function serverDriver(ctx: ComputeContext, guests: Guests): Driver<'server'> {
  return {
    kind: 'server',
    apply: (wanted, signal) =>
      guests.alone(wanted.id, () => applyServer(ctx, guests, wanted, signal).catch(explainFullDisk)),
    async remove(id) {
      await guests.alone(id, async () => {
        await guests.remove(id);
        await ctx.inventory.drop('server', id);
      });
    },
    observe: (id) => guests.alone(id, () => observeServer(ctx, guests, id)),
    async list() {
      return [...new Set([...(await guests.list()), ...ctx.inventory.servers.keys()])];
    },
  };
}

function explainFullDisk(error: unknown): never {
  if (!isErrno(error, 'ENOSPC', 'EDQUOT')) throw error;
  throw new DriverError('No space is left on the machine', {
    details: 'Free space in the state folder of the runner.',
  });
}

async function applyServer(
  ctx: ComputeContext,
  guests: Guests,
  { id, spec, generation }: Wanted<'server'>,
  signal: AbortSignal,
): Promise<Outcome> {
  const before = (await guests.record(id)) ?? NEW_GUEST;
  if (spec.epoch < before.epoch) {
    throw new DriverError(`Epoch ${spec.epoch} of the server is over: this machine has seen ${before.epoch}`, {
      code: 409,
    });
  }
  await ctx.inventory.put('server', id, spec);
  const found = await settle(ctx, guests, id, before);
  const { live } = found;
  const record = { ...found.record, epoch: spec.epoch };
  if (spec.power === 'off') {
    if (live) await guests.stop(live, signal);
    await keepIfThere(guests, id, { ...record, generation, process: null, down: null });
    return { state: 'stopped' };
  }
  if (live) {
    await guests.keep(id, { ...record, generation, process: live.process, boot_id: ctx.bootId });
    if ((await live.status()) === 'prelaunch') await guests.finishStart(spec, live);
    await syncInterfaces(ctx, live, spec.ports);
    return describe(live);
  }
  if (record.down && staysDown(ctx, record, generation)) return { state: 'stopped', cause: record.down.cause };
  await guests.start(spec, { ...record, generation }, signal);
  return { state: 'running' };
}

/**
 * What became of a guest while nobody watched: one that shut itself down is ended, and a process that should live in
 * this boot of the machine and does not has died.
 */
async function settle(
  ctx: ComputeContext,
  guests: Guests,
  id: string,
  record: GuestRecord,
): Promise<{ record: GuestRecord; live: LiveGuest | null }> {
  const live = await guests.find(id);
  if (live && (await live.status()) !== 'shutdown') return { record, live };
  if (live) {
    await guests.end(live);
    return { record: await guests.recordDown(id, 'guest'), live: null };
  }
  if (!record.process || record.boot_id !== ctx.bootId) return { record, live };
  return { record: await guests.recordDown(id, 'crash'), live };
}

/** A crash is over with a new wish or a new boot of the machine; a guest that went by itself stays until somebody wants it. */
function staysDown(ctx: ComputeContext, record: GuestRecord, generation: number): boolean {
  if (!record.down || generation > record.down.generation) return false;
  return record.down.cause === 'guest' || record.boot_id === ctx.bootId;
}

async function keepIfThere(guests: Guests, id: string, record: GuestRecord): Promise<void> {
  // A server that was never started here has no folder.
  if (await guests.record(id)) await guests.keep(id, record);
}

async function observeServer(ctx: ComputeContext, guests: Guests, id: string): Promise<Outcome | null> {
  const record = await guests.record(id);
  if (!record) return null;
  const { record: settled, live } = await settle(ctx, guests, id, record);
  if (live) return describe(live);
  if (settled.down) return { state: 'stopped', cause: settled.down.cause };
  // One that should run and has neither a process nor an end, after a boot of the machine or a teardown, is to be made.
  return ctx.inventory.servers.get(id)?.spec.power === 'off' ? { state: 'stopped' } : null;
}

/** Why a guest that has a process does nothing. */
const HALTED: Partial<Record<GuestStatus, string>> = {
  'io-error': 'The guest is halted: its disk cannot be written. Free space on the machine, and it goes on.',
  'internal-error': 'The guest is halted by an error of the hypervisor. Reboot it hard.',
  'guest-panicked': 'The guest panicked. Reboot it hard.',
};

async function describe(live: LiveGuest): Promise<Outcome> {
  const status = await live.status();
  const halted = HALTED[status];
  return { state: 'running', detail: { status }, ...(halted ? { fault: { code: 500, message: halted } } : {}) };
}
