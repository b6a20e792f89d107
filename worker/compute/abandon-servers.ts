import { and, eq, isNull } from 'drizzle-orm';
import { type ServerFault, servers } from '../../db/schema/compute.ts';
import type { Statement } from '../http/commit.ts';
import type { Context } from '../http/context.ts';

/** Statements that leave the servers of a lost machine in ERROR and without a host, so that they can be deleted. */
export function abandonServers(ctx: Context, runnerId: string, why: string): Statement[] {
  const fault: ServerFault = { code: 500, message: why, createdAtMs: ctx.clock.nowMs() };
  const change = {
    runnerId: null,
    vmState: 'error' as const,
    taskState: null,
    taskDeadlineMs: null,
    powerState: 0,
    fault,
    updatedAtMs: ctx.clock.nowMs(),
  };
  return [
    ctx.db
      .update(servers)
      .set(change)
      .where(and(eq(servers.runnerId, runnerId), isNull(servers.deletedAtMs))),
  ];
}
