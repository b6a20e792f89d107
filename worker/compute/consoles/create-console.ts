import { and, eq, lt, sql } from 'drizzle-orm';
import { consoleTokens } from '../../../db/schema/compute.ts';
import { toHex } from '../../../shared/digest.ts';
import { commit } from '../../http/commit.ts';
import type { ActorContext, Context } from '../../http/context.ts';
import { conflict } from '../../http/errors.ts';
import { authorize } from '../../http/policy.ts';
import { policy } from '../policy.ts';
import { findServer } from '../servers/find-server.ts';

/** As long as Nova's. */
const TOKEN_LIFE_MS = 600_000;
const TOKEN_BYTES = 32;
const BUSY = new Set(['deleting', 'migrating']);

export type ConsoleType = 'novnc' | 'serial';

/** Where the console's own WebSocket is, below `/aerostat/v1/consoles`. */
export const SOCKETS: Readonly<Record<ConsoleType, string>> = { novnc: 'vnc', serial: 'serial' };

/** What is stored of a token. */
export async function tokenHash(token: string): Promise<string> {
  return toHex(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(token)));
}

/**
 * Lets whoever knows the answer open a server's console for some minutes.
 * @returns the console's address, with the token
 * @throws ApiError 404, 409 without a host, or while it is deleted or migrated
 */
export async function createConsole(
  ctx: ActorContext,
  serverId: string,
  of: { type: ConsoleType; verb: string },
): Promise<string> {
  const action = 'os_compute_api:os-remote-consoles';
  authorize(ctx, policy, action);
  const row = await findServer(ctx, serverId);
  if (row.taskState !== null && BUSY.has(row.taskState)) {
    throw conflict(`Cannot '${of.verb}' instance ${serverId} while it is in task_state ${row.taskState}`);
  }
  if (row.runnerId === null || row.launchedAtMs === null) throw conflict(`Instance ${serverId} is not ready`);
  const now = ctx.clock.nowMs();
  const token = toHex(crypto.getRandomValues(new Uint8Array(TOKEN_BYTES)));
  await commit(ctx, {
    audit: { action, targetType: 'server', targetId: serverId, detail: { type: of.type } },
    statements: [
      ctx.db.delete(consoleTokens).where(and(eq(consoleTokens.region, ctx.region), lt(consoleTokens.expiresAtMs, now))),
      ctx.db.insert(consoleTokens).values({
        tokenHash: await tokenHash(token),
        region: ctx.region,
        serverId,
        userId: ctx.actor.userId,
        consoleType: of.type,
        expiresAtMs: now + TOKEN_LIFE_MS,
      }),
    ],
  });
  const socket = new URL(`${ctx.baseUrl}/aerostat/v1/consoles/${SOCKETS[of.type]}?token=${token}`);
  if (of.type === 'serial') return socket.href.replace(/^http/, 'ws');
  // A screen is shown by a page, which is told of the socket as noVNC's own pages are.
  const path = encodeURIComponent(`${socket.pathname.slice(1)}${socket.search}`);
  return `${ctx.baseUrl}/aerostat/v1/consoles/novnc?path=${path}`;
}

interface FoundConsole {
  serverId: string;
  consoleType: ConsoleType;
  runnerId: string | null;
  host: string | null;
}

/** The live console that a token opens; undefined where it opens none. */
export async function findConsole(ctx: Context, token: string) {
  const [row] = await ctx.db.all<FoundConsole>(sql`
    SELECT t.server_id AS serverId, t.console_type AS consoleType, s.runner_id AS runnerId, r.name AS host FROM console_tokens t JOIN servers s ON s.id = t.server_id
      LEFT JOIN runners r ON r.id = s.runner_id
    WHERE t.token_hash = ${await tokenHash(token)} AND t.region = ${ctx.region} AND t.expires_at_ms > ${ctx.clock.nowMs()}
      AND s.deleted_at_ms IS NULL`);
  return row;
}
