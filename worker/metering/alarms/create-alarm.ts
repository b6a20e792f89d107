import { sql } from 'drizzle-orm';
import { meterAlarms } from '../../../db/schema/metering.ts';
import { METERS } from '../../../shared/meters.ts';
import { AssertionFailed, assertThat, commit } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { badRequest, conflict } from '../../http/errors.ts';
import { authorize, requireProject } from '../../http/policy.ts';
import { findResources } from '../gnocchi/find-resources.ts';
import { policy } from '../policy.ts';
import type { AlarmRow } from './alarms.ts';
import type { NewAlarm } from './bodies.ts';

/** Alarms of one project; each is looked at every minute. */
const ALARMS_MAX = 100;

/** Watches a meter of a resource. @throws ApiError 400 no such resource, or not of this meter's kind; 403; 409 too many */
export async function createAlarm(ctx: ActorContext, input: NewAlarm): Promise<AlarmRow> {
  authorize(ctx, policy, 'metering:alarms:create');
  const { projectId } = requireProject(ctx).actor;
  const kind = METERS[input.meter].of;
  const [resource] = await findResources(ctx, { kind, ids: [input.resource_id], limit: 1 });
  if (!resource || resource.endedAtMs !== null)
    throw badRequest(`Invalid input for resource_id: there is no ${kind.replace('_', ' ')} ${input.resource_id}.`);
  const row = rowOf(ctx, input, projectId);
  const { id, resourceId, meter } = row;
  try {
    await commit(ctx, {
      audit: {
        action: 'metering:alarms:create',
        targetType: 'meter-alarm',
        targetId: id,
        detail: { resource_id: resourceId, meter },
      },
      statements: [
        assertThat(
          ctx.db,
          'room',
          sql`(SELECT count(*) FROM meter_alarms WHERE region = ${ctx.region} AND project_id = ${projectId}) < ${ALARMS_MAX}`,
        ),
        ctx.db.insert(meterAlarms).values(row),
      ],
    });
  } catch (error) {
    if (!(error instanceof AssertionFailed)) throw error;
    throw conflict(`There are ${ALARMS_MAX} alarms in this project, the most there can be: delete one first.`);
  }
  return row;
}

function rowOf(ctx: ActorContext, input: NewAlarm, projectId: string): AlarmRow {
  const { name, meter, statistic, comparison, threshold, enabled } = input;
  const nowMs = ctx.clock.nowMs();
  return {
    id: ctx.ids.uuid(),
    region: ctx.region,
    projectId,
    name,
    resourceType: METERS[meter].of,
    resourceId: input.resource_id,
    meter,
    statistic,
    comparison,
    threshold,
    windowS: input.window_s,
    enabled,
    state: 'unknown',
    stateSinceMs: nowMs,
    value: null,
    checkedAtMs: 0,
    createdAtMs: nowMs,
  };
}
