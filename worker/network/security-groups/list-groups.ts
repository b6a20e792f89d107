import { and } from 'drizzle-orm';
import type { ActorContext } from '../../http/context.ts';
import type { ListQuery } from '../api/listing.ts';
import { visibleGroups, visibleRules } from '../api/visibility.ts';
import { withDefaultGroup } from './ensure-default-group.ts';
import { type GroupWithRules, type RuleWithGroup, selectGroups, selectRules } from './group-rows.ts';

/** A page of the security groups that the actor sees, the project's default group among them. */
export function listGroups(ctx: ActorContext, query: ListQuery): Promise<GroupWithRules[]> {
  return withDefaultGroup(ctx, () =>
    selectGroups(ctx)
      .where(and(visibleGroups(ctx), query.where))
      .orderBy(...query.orderBy)
      .limit(query.limit),
  );
}

/** A page of the rules of those groups. */
export function listRules(ctx: ActorContext, query: ListQuery): Promise<RuleWithGroup[]> {
  return withDefaultGroup(ctx, () =>
    selectRules(ctx)
      .where(and(visibleRules(ctx), query.where))
      .orderBy(...query.orderBy)
      .limit(query.limit),
  );
}
