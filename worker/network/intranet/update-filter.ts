import { intranetFilters } from '../../../db/schema/intranet.ts';
import { commit } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { authorize } from '../../http/policy.ts';
import type { FilterChange } from './attributes.ts';
import { policy } from './policy.ts';
import { DEFAULTS, showFilter } from './show-filter.ts';
import { hostsOf, putFilter } from './wishes.ts';

/** Turns the filter on or off, or to counting only. What is not said stays. @returns as `showFilter` */
export async function updateFilter(ctx: ActorContext, change: FilterChange) {
  authorize(ctx, policy, 'intranet:filter:update');
  const { enabled, dry_run: dryRun } = change;
  const touches = hostsOf(ctx.region);
  const written = { updatedBy: ctx.actor.userId, updatedAtMs: ctx.clock.nowMs() };
  await commit(ctx, {
    audit: { action: 'intranet:filter:update', targetType: 'intranet', targetId: ctx.region, detail: { ...change } },
    touches,
    statements: [
      ctx.db
        .insert(intranetFilters)
        .values({
          region: ctx.region,
          enabled: enabled ?? DEFAULTS.enabled,
          dryRun: dryRun ?? DEFAULTS.dryRun,
          ...written,
        })
        .onConflictDoUpdate({
          target: intranetFilters.region,
          set: {
            ...written,
            ...(enabled === undefined ? {} : { enabled }),
            ...(dryRun === undefined ? {} : { dryRun }),
          },
        }),
      putFilter(ctx, touches),
    ],
  });
  return showFilter(ctx);
}
