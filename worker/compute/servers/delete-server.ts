import { sql } from 'drizzle-orm';
import { dropDesired } from '../../fleet/desired.ts';
import type { ActorContext } from '../../http/context.ts';
import { discardImages } from '../../image/discard-images.ts';
import { dropServerPorts, releaseServerPorts } from '../../network/server-ports.ts';
import { closeMovesOf } from '../migrations/close-moves.ts';
import { finishActions, startAction } from './actions.ts';
import { everyHostOf, hostOf } from './desired-server.ts';
import { TASK_DEADLINES_MS } from './tasks.ts';
import { commitTransition } from './transition.ts';

/** The id of a server once it is deleted; null until then. For what must not happen before. */
export const onceDeleted = (id: string) =>
  sql`(SELECT gone.id FROM servers gone WHERE gone.id = ${id} AND gone.deleted_at_ms IS NOT NULL)`;

/**
 * Deletes a server, whatever state it is in: its host is told, and the server is gone when the host has let go of it. One
 * without a host is gone at once. Asking again changes nothing, unless the first try has failed.
 * @throws ApiError 404; 409 locked
 */
export async function deleteServer(ctx: ActorContext, id: string): Promise<void> {
  const { db } = ctx;
  const now = ctx.clock.nowMs();
  const fresh = sql`EXISTS (SELECT 1 FROM servers WHERE id = ${id} AND task_state IS NOT 'deleting')`;
  const hostless = sql`EXISTS (SELECT 1 FROM servers WHERE id = ${id} AND runner_id IS NULL)`;
  const dropped = dropServerPorts(ctx, id);
  const serverWhere = sql`server_id = ${id}`;
  await commitTransition(ctx, {
    id,
    verb: 'delete',
    policyAction: 'os_compute_api:servers:delete',
    statements: [
      ...startAction(ctx, { serverId: id, action: 'delete', when: fresh }),
      // A tombstone of a try that failed is stamped anew, so that the host tries again.
      db.run(sql`
        UPDATE desired SET generation = (SELECT runners.generation FROM runners WHERE runners.id = desired.runner_id)
        WHERE kind = 'server' AND id = ${id} AND deleted = 1 AND ${fresh}`),
      db.run(sql`
        UPDATE servers SET task_state = 'deleting', task_deadline_ms = ${now + TASK_DEADLINES_MS.deleting}, updated_at_ms = ${now}
        WHERE id = ${id} AND runner_id IS NOT NULL AND task_state IS NOT 'deleting'`),
      ...closeMovesOf(ctx, id),
      // A machine that is gone for ever will never say that it let go.
      db.run(sql`
        DELETE FROM desired WHERE kind = 'server' AND id = ${id} AND runner_id IN (SELECT id FROM runners WHERE state = 'removed')`),
      dropDesired(db, 'server', sql`desired.id = ${id}`),
      ...dropped.statements,
      db.run(sql`
        UPDATE servers SET vm_state = 'deleted', task_state = NULL, task_deadline_ms = NULL, power_state = 0,
          terminated_at_ms = ${now}, deleted_at_ms = ${now}, updated_at_ms = ${now}
        WHERE id = ${id} AND runner_id IS NULL`),
      ...releaseServerPorts(ctx, onceDeleted(id)).statements,
      ...discardImages(ctx, sql`SELECT shelved_image_id FROM servers WHERE id = ${id}`),
      ...finishActions(db, { serverWhere, actions: ['create', 'delete'], when: hostless, nowMs: now }),
    ],
    touches: sql`${hostOf(id)} OR ${everyHostOf(id)} OR ${dropped.touches} OR (${hostless} AND ${releaseServerPorts(ctx, id).touches})`,
  });
}
