import { eq } from 'drizzle-orm';
import { meterAlarms } from '../../../db/schema/metering.ts';
import { commit } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { given } from '../../http/given.ts';
import { type AlarmRow, findAlarm } from './alarms.ts';
import type { AlarmPatch } from './bodies.ts';

/** Changes what an alarm says, and has it looked at soon. @throws ApiError 403, 404 */
export async function updateAlarm(ctx: ActorContext, id: string, patch: AlarmPatch): Promise<AlarmRow> {
  const row = await findAlarm(ctx, 'metering:alarms:update', id);
  const said = given(patch);
  const changes = { ...said, checkedAtMs: 0 };
  await commit(ctx, {
    audit: { action: 'metering:alarms:update', targetType: 'meter-alarm', targetId: id, detail: said },
    statements: [ctx.db.update(meterAlarms).set(changes).where(eq(meterAlarms.id, id))],
  });
  return { ...row, ...changes };
}
