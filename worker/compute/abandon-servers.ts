import { and, eq, isNull, sql } from 'drizzle-orm';
import { type ServerFault, servers } from '../../db/schema/compute.ts';
import type { Statement } from '../http/commit.ts';
import type { Context } from '../http/context.ts';
import { dropSnapshotsOf } from './observe-snapshot.ts';
import { ACTIONS, finishActions } from './servers/actions.ts';

/** Statements that leave the servers of a lost machine in ERROR and without a host, so that they can be deleted. */
export function abandonServers(ctx: Context, runnerId: string, why: string): Statement[] {
  const nowMs = ctx.clock.nowMs();
  const fault: ServerFault = { code: 500, message: why, createdAtMs: nowMs };
  const change = {
    runnerId: null,
    claimedVcpus: 0,
    claimedMemoryMib: 0,
    claimedDiskGib: 0,
    vmState: 'error' as const,
    taskState: null,
    taskDeadlineMs: null,
    powerState: 0,
    fault,
    updatedAtMs: nowMs,
  };
  return [
    ...dropSnapshotsOf(ctx, sql`SELECT id FROM servers WHERE runner_id = ${runnerId} AND deleted_at_ms IS NULL`),
    ...finishActions(ctx.db, {
      serverWhere: sql`server_id IN (SELECT id FROM servers WHERE runner_id = ${runnerId} AND deleted_at_ms IS NULL)`,
      actions: ACTIONS,
      when: sql`1`,
      nowMs,
      error: why,
    }),
    ctx.db
      .update(servers)
      .set(change)
      .where(and(eq(servers.runnerId, runnerId), isNull(servers.deletedAtMs))),
  ];
}
