import { sql } from 'drizzle-orm';
import { assertThat } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { forbidden } from '../../http/errors.ts';
import { authorize, isAdmin } from '../../http/policy.ts';
import { commitOr } from '../http/commit-or.ts';
import { policy } from '../policy.ts';
import { finishedAction } from '../servers/actions.ts';
import { ownServer, serverNotFound } from '../servers/find-server.ts';

/**
 * Locks a server against changes by anyone but an admin. A lock that is there already is left as it is by its owner.
 * @throws ApiError 404
 */
export async function lockServer(ctx: ActorContext, id: string, reason: string | null): Promise<void> {
  const action = 'os_compute_api:os-lock-server:lock';
  authorize(ctx, policy, action);
  const own = sql`project_id = ${ctx.actor.projectId ?? ''}`;
  const change = {
    audit: { action, targetType: 'server', targetId: id },
    statements: [
      assertThat(ctx.db, 'server', sql`EXISTS (SELECT 1 FROM servers WHERE ${ownServer(ctx, id, 'servers')})`),
      ctx.db.run(sql`
        UPDATE servers SET locked_by = CASE WHEN ${own} THEN 'owner' ELSE 'admin' END, locked_reason = ${reason}, updated_at_ms = ${ctx.clock.nowMs()}
        WHERE id = ${id} AND NOT (locked_by IS NOT NULL AND ${own})`),
      ...finishedAction(ctx, { serverId: id, action: 'lock' }),
    ],
  };
  await commitOr(ctx, change, { server: () => serverNotFound(id) });
}

/** Lifts a server's lock. @throws ApiError 403 an admin's lock for anyone but an admin, 404 */
export async function unlockServer(ctx: ActorContext, id: string): Promise<void> {
  const action = 'os_compute_api:os-lock-server:unlock';
  authorize(ctx, policy, action);
  const liftable = isAdmin(ctx) ? sql`1` : sql`locked_by IS NOT 'admin'`;
  const change = {
    audit: { action, targetType: 'server', targetId: id },
    statements: [
      assertThat(ctx.db, 'server', sql`EXISTS (SELECT 1 FROM servers WHERE ${ownServer(ctx, id, 'servers')})`),
      assertThat(ctx.db, 'liftable', sql`EXISTS (SELECT 1 FROM servers WHERE id = ${id} AND ${liftable})`),
      ctx.db.run(sql`
        UPDATE servers SET locked_by = NULL, locked_reason = NULL, updated_at_ms = ${ctx.clock.nowMs()} WHERE id = ${id}`),
      ...finishedAction(ctx, { serverId: id, action: 'unlock' }),
    ],
  };
  await commitOr(ctx, change, {
    server: () => serverNotFound(id),
    liftable: () => forbidden(`Policy doesn't allow ${action}:unlock_override to be performed.`),
  });
}
