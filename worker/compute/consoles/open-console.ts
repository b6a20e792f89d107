import type { Context } from '../../http/context.ts';
import { type ConsoleType, findConsole } from './create-console.ts';
import { hangUp, type Side, upgraded } from './relay-sockets.ts';

/** How long the machine may take to reach the guest's console and dial back. */
const MACHINE_TIMEOUT_MS = 15_000;

const relayOf = (ctx: Context, runnerId: string, relayId: string) =>
  ctx.env.CONSOLE_RELAY.get(ctx.env.CONSOLE_RELAY.idFromName(`${runnerId}/${relayId}`));
const join = (relay: Fetcher, side: Side, upgrade: Request) =>
  relay.fetch(new Request(`http://relay/${side}`, upgrade));

/**
 * Opens the console that a token is for, and has the guest's machine dial in. A token that opens none is hung up on, as
 * Nova's proxies do: a browser learns nothing of a refused upgrade.
 */
export async function openConsole(
  ctx: Context,
  of: { type: ConsoleType; token: string; upgrade: Request },
): Promise<Response> {
  const found = await findConsole(ctx, of.token);
  if (!found?.runnerId || found.consoleType !== of.type) return refuse(of.upgrade);
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

function refuse(upgrade: Request): Response {
  const { 0: client, 1: server } = new WebSocketPair();
  server.accept();
  hangUp(server);
  return upgraded(upgrade, client);
}
