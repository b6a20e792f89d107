import { once } from 'node:events';
import { connect } from 'node:net';
import { pipeline } from 'node:stream';
import { z } from 'zod';
import { uuid } from '../../shared/specs/network.ts';
import { DriverError } from '../driver.ts';
import { errorText } from '../log.ts';
import type { ComputeContext } from './context.ts';
import { guestPaths } from './guest-paths.ts';

const openArguments = z.object({ relay_id: uuid, type: z.enum(['novnc', 'serial']) });

/**
 * Joins a guest's screen or first serial line with a relay at the edge, until either side ends it.
 * @throws DriverError 409 the guest has no such console, for it does not run
 */
export async function openConsole(ctx: ComputeContext, id: string, args: Record<string, unknown>): Promise<void> {
  const { relay_id, type } = openArguments.parse(args);
  const { screen, consoleSocket } = guestPaths(ctx.stateDir, id);
  const guest = connect(type === 'novnc' ? screen : consoleSocket);
  await once(guest, 'connect').catch((error: unknown) => {
    throw new DriverError(`The console of server ${id} cannot be reached: ${errorText(error)}`, { code: 409 });
  });
  try {
    const relay = await ctx.openRelay(relay_id);
    pipeline(guest, relay, guest, () => guest.destroy());
  } catch (error) {
    guest.destroy();
    throw error;
  }
}
