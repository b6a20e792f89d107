import { and, asc, eq, lte, type SQL, sql } from 'drizzle-orm';
import { meterAlarms } from '../../../db/schema/metering.ts';
import { type Meter, SAMPLE_EVERY_MS } from '../../../shared/meters.ts';
import { putEvent } from '../../events/put-event.ts';
import { commitAll, type Statement } from '../../http/commit.ts';
import type { Context } from '../../http/context.ts';
import { readMeasures } from '../gnocchi/read-measures.ts';
import type { AlarmRow } from './alarms.ts';
import { judgeAlarm } from './judge-alarm.ts';

/** Between two looks at an alarm. */
const CHECK_EVERY_MS = 60_000;
/** Alarms that one round looks at; more wait for the next, the longest waiting first. */
const PER_ROUND_MAX = 200;
const AT_ONCE_MAX = 20;

/** Looks at the alarms that are due, and tells of those that have changed. One that fails keeps no other waiting. */
export async function watchAlarms(ctx: Context): Promise<void> {
  const due = await ctx.db
    .select()
    .from(meterAlarms)
    .where(
      and(
        eq(meterAlarms.region, ctx.region),
        eq(meterAlarms.enabled, true),
        lte(meterAlarms.checkedAtMs, ctx.clock.nowMs() - CHECK_EVERY_MS),
      ),
    )
    .orderBy(asc(meterAlarms.checkedAtMs), asc(meterAlarms.id))
    .limit(PER_ROUND_MAX);
  for (let at = 0; at < due.length; at += AT_ONCE_MAX) {
    await Promise.all(due.slice(at, at + AT_ONCE_MAX).map((alarm) => watchAlarm(ctx, alarm)));
  }
}

async function watchAlarm(ctx: Context, alarm: AlarmRow): Promise<void> {
  const { id, resourceId, resourceType, meter } = alarm;
  const nowMs = ctx.clock.nowMs();
  const method = alarm.statistic === 'rate' ? { of: 'sum' as const, rate: true } : { of: alarm.statistic, rate: false };
  const asked = {
    method,
    granularities: [SAMPLE_EVERY_MS / 1_000],
    fromMs: nowMs - alarm.windowS * 1_000,
    toMs: nowMs,
  };
  const measures = await readMeasures(ctx, { kind: resourceType, id: resourceId }, meter as Meter, asked).catch(
    (error: unknown) => {
      ctx.log.error('alarm-not-read', { alarm: id, error: String(error) });
      return [];
    },
  );
  const { state, value } = judgeAlarm(alarm, measures);
  const changed = state !== alarm.state;
  // What was judged is what stands: somebody may have changed or looked at it meanwhile.
  const still = sql`id = ${id} AND enabled = 1 AND checked_at_ms = ${alarm.checkedAtMs} AND state = ${alarm.state}`;
  await commitAll(ctx, [
    ...(changed && [state, alarm.state].includes('triggered') ? [tell(ctx, alarm, { state, value }, still)] : []),
    ctx.db
      .update(meterAlarms)
      .set({ value, checkedAtMs: nowMs, ...(changed ? { state, stateSinceMs: nowMs } : {}) })
      .where(still),
  ]);
}

function tell(ctx: Context, alarm: AlarmRow, now: Pick<AlarmRow, 'state' | 'value'>, still: SQL): Statement {
  const { id, projectId, name, meter, resourceId, comparison, threshold } = alarm;
  return putEvent(ctx, {
    type: now.state === 'triggered' ? 'alarm.triggered' : 'alarm.cleared',
    projectId,
    resourceId: id,
    data: { id, name, meter, resource_id: resourceId, comparison, threshold, value: now.value },
    when: sql`EXISTS (SELECT 1 FROM meter_alarms WHERE ${still})`,
  });
}
