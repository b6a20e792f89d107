import { sql } from 'drizzle-orm';
import type { QuotaLimits } from '../../../db/schema/quotas.ts';
import { commit } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { authorize } from '../../http/policy.ts';
import { policy } from '../policy.ts';
import { limitsOf, limitsRead } from './limits-in-force.ts';
import type { Limits } from './quota-sets.ts';

/** The limits of a class. Only the class `default` is anyone's. */
export async function showQuotaClass(ctx: ActorContext, name: string): Promise<Limits> {
  authorize(ctx, policy, 'os_compute_api:os-quota-class-sets:show');
  return limitsOf(await limitsRead(ctx, {}, name), 'class');
}

/** Sets limits of a class. @returns the limits as they then are */
export async function updateQuotaClass(ctx: ActorContext, name: string, limits: QuotaLimits): Promise<Limits> {
  const action = 'os_compute_api:os-quota-class-sets:update';
  authorize(ctx, policy, action);
  const results = await commit(ctx, {
    audit: { action, targetType: 'quota-class', targetId: name, detail: { limits } },
    statements: [
      ctx.db.run(sql`
        INSERT INTO quota_classes (region, name, limits) VALUES (${ctx.region}, ${name}, ${JSON.stringify(limits)})
        ON CONFLICT (region, name) DO UPDATE SET limits = json_patch(limits, excluded.limits)`),
      limitsRead(ctx, {}, name),
    ],
  });
  return limitsOf(results.at(-1), 'class');
}
