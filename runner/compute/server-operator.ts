import { z } from 'zod';
import { uuid } from '../../shared/specs/network.ts';
import { imageRef, type ServerSpec } from '../../shared/specs/server.ts';
import { DriverError, type Operator } from '../driver.ts';
import { machineUptime } from '../host/uptime.ts';
import { readConsole } from './console.ts';
import type { ComputeContext } from './context.ts';
import { diagnose } from './diagnostics.ts';
import { dropPassword } from './guest-password.ts';
import { guestPaths } from './guest-paths.ts';
import { NEW_GUEST } from './guest-record.ts';
import type { Guests } from './guests.ts';
import type { LiveGuest } from './live-guest.ts';
import type { Moves } from './moves/moves.ts';
import { sendArguments } from './moves/send-guest.ts';
import { openConsole } from './open-console.ts';
import { snapshotGuest } from './snapshot-guest.ts';

const rebootArguments = z.object({ type: z.enum(['SOFT', 'HARD']) });
const cacheArguments = z.object({ image: imageRef });
const snapshotArguments = z.object({ image_id: uuid });
const consoleArguments = z.object({ length_lines: z.int().min(0).nullable().default(null) });

/** Does with guests what is no state of theirs: reboots, interrupts, copies and sending away, and fetching images ahead of them; and answers about their consoles. */
export function serverOperator(ctx: ComputeContext, guests: Guests, moves: Moves): Operator {
  return {
    async run({ kind, targetId, targetEpoch, args }, hooks) {
      if (kind === 'cache-image') {
        await ctx.images.prefetch(cacheArguments.parse(args).image, hooks.signal);
        return {};
      }
      const spec = specOf(ctx, targetId);
      if (spec.epoch !== targetEpoch) {
        throw new DriverError(`The operation is for epoch ${targetEpoch}, the server is at ${spec.epoch}`, {
          code: 409,
        });
      }
      switch (kind) {
        case 'reboot': {
          const { type } = rebootArguments.parse(args);
          await guests.alone(targetId, () => reboot(ctx, guests, specOf(ctx, targetId), type, hooks.signal));
          return {};
        }
        case 'crash-dump':
          await guests.alone(targetId, async () => (await running(guests, targetId)).execute('inject-nmi'));
          return {};
        case 'clear-password':
          await guests.alone(targetId, () => dropPassword(ctx.stateDir, targetId));
          return {};
        case 'snapshot': {
          const { image_id } = snapshotArguments.parse(args);
          await snapshotGuest(ctx, guests, targetId, image_id, hooks.signal);
          return {};
        }
        case 'send-guest':
        case 'send-disk': {
          const move = sendArguments.parse(args);
          const send = () =>
            moves[kind === 'send-guest' ? 'sendGuest' : 'sendDisk'](specOf(ctx, targetId), move, hooks);
          await guests.alone(targetId, send);
          return {};
        }
        default:
          throw new DriverError(`This machine knows no operation ${kind}`, { code: 400 });
      }
    },
    async query({ kind, targetId, args }) {
      if (kind === 'uptime') return { uptime: machineUptime() };
      if (kind === 'force-move') {
        moves.force(targetId);
        return {};
      }
      if (kind === 'open-console') {
        specOf(ctx, targetId);
        await openConsole(ctx, targetId, args);
        return {};
      }
      if (kind === 'diagnostics') {
        const { ports } = specOf(ctx, targetId);
        return diagnose(ctx, await running(guests, targetId), ports);
      }
      if (kind !== 'console') throw new DriverError(`This machine knows no question ${kind}`, { code: 400 });
      const { length_lines } = consoleArguments.parse(args);
      specOf(ctx, targetId);
      return { output: await readConsole(guestPaths(ctx.stateDir, targetId).console, length_lines) };
    },
  };
}

async function running(guests: Guests, id: string): Promise<LiveGuest> {
  const live = await guests.find(id);
  if (!live) throw new DriverError(`Server ${id} does not run`, { code: 409 });
  return live;
}

function specOf(ctx: ComputeContext, id: string): ServerSpec {
  const server = ctx.inventory.servers.get(id);
  if (!server) throw new DriverError(`Server ${id} is not on this machine`, { code: 404 });
  return server.spec;
}

async function reboot(
  ctx: ComputeContext,
  guests: Guests,
  spec: ServerSpec,
  type: 'SOFT' | 'HARD',
  signal: AbortSignal,
): Promise<void> {
  if (spec.power !== 'on')
    throw new DriverError(`Server ${spec.id} is to be ${spec.power}: it cannot be rebooted`, { code: 409 });
  const live = await guests.find(spec.id);
  if (live && type === 'SOFT' && (await softReboot(ctx, guests, live, signal))) return;
  if (live) await guests.end(live);
  const record = (await guests.record(spec.id)) ?? { ...NEW_GUEST, epoch: spec.epoch };
  await guests.start(spec, await guests.dropSaved(spec.id, record), signal);
}

/** Off by its power button and on again in the same process; false when it does not go off in time. */
async function softReboot(ctx: ComputeContext, guests: Guests, live: LiveGuest, signal: AbortSignal): Promise<boolean> {
  live.expected = true;
  try {
    if (!(await live.powerDown(ctx.powerdownGrace_ms, signal))) return false;
    await live.reset();
    return true;
  } finally {
    await guests.lookAfter(live);
  }
}
