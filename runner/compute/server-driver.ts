import type { ServerSpec } from '../../shared/specs/server.ts';
import { type Driver, DriverError, type Outcome, type Wanted } from '../driver.ts';
import { isErrno } from '../host/files.ts';
import { faultOf } from '../reconcile/retry.ts';
import type { ComputeContext } from './context.ts';
import { readPassword } from './guest-password.ts';
import { type GuestRecord, NEW_GUEST } from './guest-record.ts';
import type { Guests } from './guests.ts';
import { syncInterfaces } from './interfaces.ts';
import type { GuestStatus, LiveGuest } from './live-guest.ts';
import type { Moves } from './moves/moves.ts';
import { fitSize } from './sizes.ts';
import type { Found, Wish } from './wish.ts';

/** Keeps guests as their specs say. */
export function serverDriver(ctx: ComputeContext, guests: Guests, moves: Moves): Driver<'server'> {
  return {
    kind: 'server',
    apply: (wanted, signal) =>
      guests.alone(wanted.id, () => applyServer({ ctx, guests, moves }, wanted, signal).catch(explainFullDisk)),
    async remove(id) {
      await guests.alone(id, async () => {
        moves.stopReceiving(id);
        await guests.remove(id);
        await ctx.inventory.drop('server', id);
      });
    },
    observe: (id) => guests.alone(id, () => observeServer({ ctx, guests, moves }, id)),
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

interface Machinery {
  ctx: ComputeContext;
  guests: Guests;
  moves: Moves;
}

async function applyServer(
  { ctx, guests, moves }: Machinery,
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
  const settled = await moves.settle({ spec, generation, signal }, await settle(ctx, guests, id, before));
  if ('outcome' in settled) return settled.outcome;
  const found = { ...settled, record: { ...settled.record, epoch: spec.epoch } };
  const current = await fitSize(ctx, guests, spec, await asSpecified(guests, spec, found, signal), signal);
  switch (spec.power) {
    case 'off':
      return turnOff(guests, { spec, generation, signal }, current);
    case 'suspended':
      return suspend(ctx, guests, { spec, generation, signal }, current);
    case 'paused':
    case 'on':
      return turnOn(ctx, guests, { spec, generation, signal }, current);
  }
}

/** Ends a guest whose disks are not those of its spec: it is rebuilt, rescued or unrescued, or a start was cut short. */
async function asSpecified(guests: Guests, spec: ServerSpec, found: Found, signal: AbortSignal): Promise<Found> {
  let { record, live } = found;
  if (live && record.saved) {
    // It had not taken up its memory yet, or has just saved it.
    await guests.end(live);
    live = null;
  }
  if (record.disk_version !== spec.disk_version) {
    if (live) await guests.end(live);
    return { record: await guests.dropDisk(spec, record), live: null };
  }
  if (live && record.rescue_sha256 !== (spec.rescue?.image.sha256 ?? null)) {
    if (spec.rescue) await guests.stop(live, signal);
    else await guests.end(live);
    record = { ...record, process: null };
    await guests.keep(spec.id, record);
    live = null;
  }
  return { record, live };
}

async function turnOff(guests: Guests, { spec, generation, signal }: Wish, { record, live }: Found): Promise<Outcome> {
  if (live) await guests.stop(live, signal);
  const kept = await guests.dropSaved(spec.id, record);
  // A server that was never started here has no folder.
  if (!(await guests.record(spec.id))) return { state: 'stopped' };
  // One that was rebuilt is told now what its next start would find.
  if (kept.image_sha256 === null) await guests.prepare(spec, signal);
  await guests.keep(spec.id, { ...kept, generation, process: null, down: null });
  return { state: 'stopped' };
}

async function turnOn(ctx: ComputeContext, guests: Guests, wish: Wish, { record, live }: Found): Promise<Outcome> {
  const { spec, generation, signal } = wish;
  if (!live) {
    if (record.down && staysDown(ctx, record, generation)) return { state: 'stopped', cause: record.down.cause };
    if (spec.power === 'paused') {
      // What it held is lost, and nobody wants it to run.
      await guests.recordDown(spec.id, 'crash');
      return { state: 'stopped', cause: 'crash' };
    }
    await guests.start(spec, { ...record, generation }, signal);
    return { state: 'running' };
  }
  await guests.keep(spec.id, { ...record, generation, process: live.process, boot_id: ctx.bootId });
  const status = await live.status();
  if (spec.power === 'paused') await live.hold();
  else if (STANDING.has(status)) await guests.letRun(spec, live);
  await syncInterfaces(ctx, live, spec.ports);
  return describe(live, spec.power);
}

async function suspend(ctx: ComputeContext, guests: Guests, wish: Wish, { record, live }: Found): Promise<Outcome> {
  const { spec, generation, signal } = wish;
  if (!live && record.saved) {
    await guests.keep(spec.id, { ...record, generation, process: null });
    return { state: 'suspended' };
  }
  if (!live) {
    // It ran in an earlier boot of the machine, and was not saved before that ended.
    const outcome = await turnOn(ctx, guests, { ...wish, spec: { ...spec, power: 'on' } }, { record, live });
    if (outcome.state !== 'running') return outcome;
  }
  const running = live ?? (await guests.find(spec.id));
  if (!running) throw new DriverError('The guest ended before its memory was saved');
  const kept = { ...record, generation, process: running.process, boot_id: ctx.bootId };
  try {
    await guests.suspend(running, kept, signal);
    return { state: 'suspended' };
  } catch (error) {
    // Nothing is lost: it goes on as it was.
    signal.throwIfAborted();
    await running.resume();
    return { state: 'running', fault: faultOf(error) };
  }
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

/** A guest that nobody lets run yet: its runner died before, or it has come from another machine, or back. */
const STANDING: ReadonlySet<GuestStatus> = new Set(['prelaunch', 'paused', 'postmigrate']);

async function observeServer({ ctx, guests, moves }: Machinery, id: string): Promise<Outcome | null> {
  const record = await guests.record(id);
  if (!record) return null;
  const found = await settle(ctx, guests, id, record);
  const onItsWay = moves.describe(ctx.inventory.servers.get(id)?.spec, found);
  if (onItsWay) return onItsWay;
  const { record: settled, live } = found;
  const power = ctx.inventory.servers.get(id)?.spec.power;
  if (live) return withPassword(ctx, id, await describe(live, power));
  if (settled.down) return { state: 'stopped', cause: settled.down.cause };
  if (settled.saved) return power === 'suspended' ? { state: 'suspended' } : null;
  // One that should run and has neither a process nor an end, after a boot of the machine or a teardown, is to be made.
  return power === 'off' ? { state: 'stopped' } : null;
}

/** Why a guest that has a process does nothing. */
const HALTED: Partial<Record<GuestStatus, string>> = {
  'io-error': 'The guest is halted: its disk cannot be written. Free space on the machine, and it goes on.',
  'internal-error': 'The guest is halted by an error of the hypervisor. Reboot it hard.',
  'guest-panicked': 'The guest panicked. Reboot it hard.',
};

async function describe(live: LiveGuest, wish: ServerSpec['power'] | undefined): Promise<Outcome> {
  const status = await live.status();
  if (wish === 'paused' && status === 'paused') return { state: 'paused' };
  const halted = HALTED[status];
  return { state: 'running', detail: { status }, ...(halted ? { fault: { code: 500, message: halted } } : {}) };
}

async function withPassword(ctx: ComputeContext, id: string, outcome: Outcome): Promise<Outcome> {
  const password = await readPassword(ctx.stateDir, id);
  return password ? { ...outcome, detail: { ...outcome.detail, password } } : outcome;
}
