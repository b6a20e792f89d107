import { sql } from 'drizzle-orm';
import type { Statement } from '../../http/commit.ts';
import type { Context } from '../../http/context.ts';

/** What a host does once with a server; see docs/protocol.md for the arguments. */
export type ServerOperation = 'reboot' | 'crash-dump' | 'snapshot' | 'clear-password';

/**
 * Asks a server's host to do something once, and to end it by the deadline; where the server is on none, nobody is asked. The
 * batch's `touches` must cover the host. Its end comes to `serverOperationUpdated`.
 */
export function askHost(
  ctx: Context,
  serverId: string,
  operation: { kind: ServerOperation; args: Record<string, unknown>; deadlineMs: number },
): Statement {
  const { kind, args, deadlineMs } = operation;
  return ctx.db.run(sql`
    INSERT INTO operations (op_id, region, runner_id, kind, target_kind, target_id, target_epoch, request_id, state, args, deadline_ms, created_at_ms)
    SELECT ${ctx.ids.uuid()}, region, runner_id, ${kind}, 'server', id, epoch, ${ctx.requestId}, 'queued', ${JSON.stringify(args)}, ${deadlineMs}, ${ctx.clock.nowMs()}
    FROM servers WHERE id = ${serverId} AND runner_id IS NOT NULL`);
}
