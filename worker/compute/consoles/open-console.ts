import type { Context } from '../../http/context.ts';
import { unauthorized } from '../../http/errors.ts';
import type { Side } from './console-relay.ts';
import { type ConsoleType, findConsole } from './create-console.ts';

/** How long the machine may take to reach the guest's console and dial back. */
const MACHINE_TIMEOUT_MS = 15_000;

const relayOf = (ctx: Context, runnerId: string, relayId: string) =>
  ctx.env.CONSOLE_RELAY.get(ctx.env.CONSOLE_RELAY.idFromName(`${runnerId}/${relayId}`));
const join = (relay: Fetcher, side: Side, upgrade: Request) =>
  relay.fetch(new Request(`http://relay/${side}`, upgrade));

/**
 * Opens the console that a token is for, and has the guest's machine dial in. A socket that is opened only to be closed would
 * keep a viewer waiting that does not close its own end, so a token that opens nothing is refused before.
 * @throws ApiError 401 no such console, any more
 */
export async function openConsole(
  ctx: Context,
  of: { type: ConsoleType; token: string; upgrade: Request },
): Promise<Response> {
  const found = await findConsole(ctx, of.token);
  if (!found?.runnerId || found.consoleType !== of.type) throw unauthorized('This token opens no console.');
  const { runnerId, serverId } = found;
  const relayId = ctx.ids.uuid();
  const relay = relayOf(ctx, runnerId, relayId);
  const response = await join(relay, 'viewer', of.upgrade);
  const query = { kind: 'open-console', targetId: serverId, args: { relay_id: relayId, type: of.type } };
  const dialled = ctx.fleet.query(runnerId, query, MACHINE_TIMEOUT_MS).then(async (answer) => {
    if (answer.ok) return;
    ctx.log.error('console-not-opened', { serverId, runnerId, fault: answer.fault });
    await relay.end();
  });
  ctx.waitUntil(dialled);
  return response;
}

/** A machine dials in for a console that it was asked for. */
export const joinConsole = (
  ctx: Context,
  of: { runnerId: string; relayId: string; upgrade: Request },
): Promise<Response> => join(relayOf(ctx, of.runnerId, of.relayId), 'machine', of.upgrade);
