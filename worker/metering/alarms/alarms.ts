import { and, asc, eq } from 'drizzle-orm';
import { meterAlarms } from '../../../db/schema/metering.ts';
import type { ActorContext } from '../../http/context.ts';
import { notFound } from '../../http/errors.ts';
import { authorize, isAdmin } from '../../http/policy.ts';
import { iso } from '../../http/times.ts';
import { type MeteringAction, policy } from '../policy.ts';

export type AlarmRow = typeof meterAlarms.$inferSelect;

const ownOf = (ctx: ActorContext) =>
  and(
    eq(meterAlarms.region, ctx.region),
    ...(isAdmin(ctx) ? [] : [eq(meterAlarms.projectId, ctx.actor.projectId ?? '')]),
  );

/** The alarms of the actor's project, in the order in which they were made; an admin sees all. */
export async function listAlarms(ctx: ActorContext): Promise<AlarmRow[]> {
  authorize(ctx, policy, 'metering:alarms:list');
  return ctx.db.select().from(meterAlarms).where(ownOf(ctx)).orderBy(asc(meterAlarms.createdAtMs), asc(meterAlarms.id));
}

/** One alarm, for an action on it. @throws ApiError 403, 404 also for one of another project */
export async function findAlarm(ctx: ActorContext, action: MeteringAction, id: string): Promise<AlarmRow> {
  authorize(ctx, policy, action);
  const [row] = await ctx.db
    .select()
    .from(meterAlarms)
    .where(and(ownOf(ctx), eq(meterAlarms.id, id)));
  if (!row) throw notFound(`Alarm ${id} could not be found.`);
  return row;
}

export function alarmView(row: AlarmRow) {
  return {
    id: row.id,
    project_id: row.projectId,
    name: row.name,
    resource_type: row.resourceType,
    resource_id: row.resourceId,
    meter: row.meter,
    statistic: row.statistic,
    comparison: row.comparison,
    threshold: row.threshold,
    window_s: row.windowS,
    enabled: row.enabled,
    state: row.state,
    state_since: iso(row.stateSinceMs),
    value: row.value,
    checked_at: row.checkedAtMs === 0 ? null : iso(row.checkedAtMs),
    created_at: iso(row.createdAtMs),
  };
}
