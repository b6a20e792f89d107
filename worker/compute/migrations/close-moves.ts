import { sql } from 'drizzle-orm';
import type { Statement } from '../../http/commit.ts';
import type { Context } from '../../http/context.ts';
import { callOff, closeOperation, type Step } from './moves.ts';

/** What ends a server's move when the server is deleted: both machines let go of it, and what is held goes back as they do. */
export function closeMovesOf(ctx: Context, serverId: string): Statement[] {
  const open = sql`m.server_id = ${serverId} AND m.phase NOT IN ('ending', 'ended')`;
  return [
    closeOperation(ctx, sql`(SELECT m.op_id FROM server_migrations m WHERE ${open})`, 'The server was deleted.'),
    ctx.db.run(sql`
      UPDATE server_migrations AS m SET updated_at_ms = ${ctx.clock.nowMs()},
        status = CASE m.phase WHEN 'held' THEN 'confirmed' ELSE 'error' END,
        phase = CASE WHEN m.held IS NULL THEN 'ended' ELSE 'ending' END
      WHERE ${open}`),
  ];
}

/** The moves that go on to or from a machine, which whoever takes the machine away for ever has to settle. */
export const movesWith = (ctx: Context, runnerId: string) =>
  ctx.db.all<{ uuid: string; target: string }>(sql`
    SELECT uuid, target_runner_id AS target FROM server_migrations
    WHERE phase IN ('preparing', 'moving') AND ${runnerId} IN (source_runner_id, target_runner_id)`);

/**
 * What becomes of moves when a machine is lost for ever. To it: they are given up. From it: the target lets go of what had not
 * come whole. A server that is on its target stays there, and has no old copy any more.
 */
export function abandonMoves(
  ctx: Context,
  runnerId: string,
  of: { moves: readonly { uuid: string; target: string }[]; why: string },
): Step {
  const now = ctx.clock.nowMs();
  const steps = of.moves.map(({ uuid }) => callOff(ctx, sql`m.uuid = ${uuid}`, { status: 'error', why: of.why }));
  const targets = of.moves.map(({ target }) => sql`${target}`);
  return {
    touches: targets.length === 0 ? sql`0` : sql`runners.id IN (${sql.join(targets, sql`, `)})`,
    statements: [
      ...steps.flatMap((step) => step.statements),
      ctx.db.run(sql`
        UPDATE server_migrations AS m SET held = NULL, held_runner_id = NULL, updated_at_ms = ${now},
          phase = CASE m.phase WHEN 'ending' THEN 'ended' ELSE m.phase END,
          status = CASE m.status WHEN 'confirming' THEN 'confirmed' ELSE m.status END
        WHERE m.held_runner_id = ${runnerId}`),
    ],
  };
}
