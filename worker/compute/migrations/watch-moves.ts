import { sql } from 'drizzle-orm';
import { AssertionFailed, commitAll } from '../../http/commit.ts';
import type { Context } from '../../http/context.ts';
import { callOff } from './moves.ts';
import { confirmOverdue } from './settle-resize.ts';

/** Moves that one round looks after; more wait for the next. */
const ROUND_MAX = 50;

interface Due {
  uuid: string;
  serverId: string;
  targetHost: string;
  phase: string;
}

/**
 * One round: gives up moves whose time is over, notes those whose target never said how the server is, and confirms resizes
 * that nobody settled in the time that the operator gives (RESIZE_CONFIRM_S; 0 for ever).
 */
export async function watchMoves(ctx: Context): Promise<void> {
  const now = ctx.clock.nowMs();
  const confirmAfterMs = Number(ctx.env.RESIZE_CONFIRM_S ?? 0) * 1000;
  const unsettled =
    confirmAfterMs > 0
      ? sql`(phase = 'held' AND status = 'finished' AND updated_at_ms < ${now - confirmAfterMs})`
      : sql`0`;
  const due = await ctx.db.all<Due>(sql`
    SELECT uuid, server_id AS serverId, target_host AS targetHost, phase FROM server_migrations
    WHERE region = ${ctx.region} AND ((phase IN ('preparing', 'moving', 'starting') AND deadline_ms < ${now}) OR ${unsettled}) LIMIT ${ROUND_MAX}`);
  for (const move of due) {
    try {
      await settle(ctx, move);
    } catch (error) {
      // It has moved on since it was read.
      if (!(error instanceof AssertionFailed)) throw error;
    }
  }
}

async function settle(ctx: Context, { uuid, serverId, targetHost, phase }: Due): Promise<void> {
  if (phase === 'held') return confirmOverdue(ctx, serverId);
  const which = sql`m.uuid = ${uuid}`;
  if (phase === 'starting') {
    await ctx.db.run(sql`
      UPDATE server_migrations AS m SET status = 'error', updated_at_ms = ${ctx.clock.nowMs()},
        phase = CASE WHEN m.type <> 'evacuation' THEN 'held' WHEN m.held IS NULL THEN 'ended' ELSE 'ending' END
      WHERE ${which} AND m.phase = 'starting'`);
    return;
  }
  const what = phase === 'preparing' ? `host ${targetHost} did not make ready for it` : 'it was not sent';
  const off = callOff(ctx, which, { status: 'error', why: `The server was not moved: ${what} in time.` });
  await commitAll(ctx, off.statements, off.touches);
}
