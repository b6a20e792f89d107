import { eq } from 'drizzle-orm';
import { billingDefaults } from '../../../db/schema/billing.ts';
import { commit } from '../../http/commit.ts';
import type { ActorContext, Context } from '../../http/context.ts';
import { authorize } from '../../http/policy.ts';
import { markOf, type NewDefaults } from '../bodies.ts';
import { policy } from '../policy.ts';
import { DEFAULT_CURRENCY } from './default-account.ts';

export type Defaults = Omit<typeof billingDefaults.$inferSelect, 'region'>;

/** What accounts of the region are that projects get by themselves. */
export async function readDefaults(ctx: Context): Promise<Defaults> {
  const [row] = await ctx.db.select().from(billingDefaults).where(eq(billingDefaults.region, ctx.region));
  const { region: _, ...given } = row ?? {
    ...{ region: '', mode: 'postpaid' as const, currency: DEFAULT_CURRENCY },
    ...{ creditLimitMicros: null, lowMicros: null, graceHours: null, deleteAfterDays: null },
  };
  return given;
}

/** @throws ApiError 403 */
export async function showDefaults(ctx: ActorContext): Promise<Defaults> {
  authorize(ctx, policy, 'billing:defaults:show');
  return readDefaults(ctx);
}

/** Says what they are from now on; accounts that are there stay as they are. @throws ApiError 400 amounts of too many digits; 403 */
export async function setDefaults(ctx: ActorContext, input: NewDefaults): Promise<Defaults> {
  authorize(ctx, policy, 'billing:defaults:set');
  const { mode, currency, grace_hours: graceHours, delete_after_days: deleteAfterDays } = input;
  const given = {
    ...{ mode, currency, graceHours, deleteAfterDays },
    creditLimitMicros: markOf(input.credit_limit, currency),
    lowMicros: markOf(input.low_balance, currency),
  };
  await commit(ctx, {
    audit: {
      action: 'billing:defaults:set',
      targetType: 'billing-defaults',
      targetId: ctx.region,
      detail: { ...input },
    },
    statements: [
      ctx.db
        .insert(billingDefaults)
        .values({ region: ctx.region, ...given })
        .onConflictDoUpdate({ target: billingDefaults.region, set: given }),
    ],
  });
  return given;
}
