import { eq } from 'drizzle-orm';
import { meterAlarms } from '../../../db/schema/metering.ts';
import { commit } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { findAlarm } from './alarms.ts';

/** Watches no longer, and tells nothing of it. @throws ApiError 403, 404 */
export async function deleteAlarm(ctx: ActorContext, id: string): Promise<void> {
  await findAlarm(ctx, 'metering:alarms:delete', id);
  await commit(ctx, {
    audit: { action: 'metering:alarms:delete', targetType: 'meter-alarm', targetId: id },
    statements: [ctx.db.delete(meterAlarms).where(eq(meterAlarms.id, id))],
  });
}
