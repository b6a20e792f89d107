import { eq, sql } from 'drizzle-orm';
import { ports } from '../../../db/schema/network.ts';
import { dropDesired } from '../../fleet/desired.ts';
import { commit, type Statement } from '../../http/commit.ts';
import type { ActorContext, Context } from '../../http/context.ts';
import { assertRevision, checkRevision, whileRacing } from '../api/races.ts';
import { forgetPorts, runnersKnowing, runnersWith } from '../desired/drops.ts';
import { loseAddresses } from '../edge/floating-ips-on.ts';
import { enforce, may } from '../policy.ts';
import { refuseDelete } from './service-ports.ts';
import { showPort } from './show-port.ts';

/**
 * Removes a port: its guest loses the interface, its host the tap, other hosts its memberships.
 * @throws ApiError 403 not allowed, 404 not seen, 412 another revision
 */
export function deletePort(
  ctx: ActorContext,
  input: { id: string; expectedRevision: number | undefined },
): Promise<void> {
  return whileRacing(async () => {
    const row = await showPort(ctx, input.id);
    if (!may(ctx, 'delete_port', { projectId: row.networkProjectId })) {
      enforce(ctx, 'delete_port', { projectId: row.projectId });
    }
    checkRevision(input.expectedRevision, row);
    refuseDelete(row);
    const id = sql`${row.id}`;
    await commit(ctx, {
      audit: { action: 'delete_port', targetType: 'port', targetId: row.id, detail: { deviceId: row.deviceId } },
      touches: sql`(${runnersWith('port', id)} OR ${runnersKnowing(id)})`,
      statements: [
        // A server may have taken the port since it was read.
        assertRevision(ctx, 'ports', row),
        unplug(ctx, row),
        dropDesired(ctx.db, 'port', sql`desired.id = ${row.id}`),
        ...forgetPorts(ctx.db, id),
        ...loseAddresses(ctx, id),
        ctx.db.delete(ports).where(eq(ports.id, row.id)),
      ],
    });
  });
}

/** Takes the port out of its server's spec, wherever a runner holds one. */
function unplug(ctx: Context, row: { id: string; deviceId: string }): Statement {
  return ctx.db.run(sql`
    UPDATE desired SET
      spec = json_set(spec, '$.ports', (SELECT json_group_array(p.value) FROM json_each(desired.spec, '$.ports') p WHERE p.value <> ${row.id})),
      generation = (SELECT runners.generation FROM runners WHERE runners.id = desired.runner_id)
    WHERE kind = 'server' AND id = ${row.deviceId} AND deleted = 0
      AND EXISTS (SELECT 1 FROM json_each(desired.spec, '$.ports') p WHERE p.value = ${row.id})
      AND EXISTS (SELECT 1 FROM desired port WHERE port.runner_id = desired.runner_id AND port.kind = 'port' AND port.id = ${row.id} AND port.deleted = 0)`);
}
