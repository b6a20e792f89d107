import { and, eq } from 'drizzle-orm';
import { securityGroupRules, securityGroups } from '../../../db/schema/network.ts';
import type { ActorContext } from '../../http/context.ts';
import { visibleGroups, visibleRules } from '../api/visibility.ts';
import { securityGroupNotFound, securityGroupRuleNotFound } from '../faults.ts';
import { type GroupWithRules, type RuleWithGroup, selectGroups, selectRules } from './group-rows.ts';

/** One security group. @throws ApiError 404 where there is none that the actor sees */
export async function showGroup(ctx: ActorContext, id: string): Promise<GroupWithRules> {
  const [row] = await selectGroups(ctx).where(and(eq(securityGroups.id, id), visibleGroups(ctx)));
  if (!row) throw securityGroupNotFound(id);
  return row;
}

/** One rule. @throws ApiError 404 where there is none that the actor sees */
export async function showRule(ctx: ActorContext, id: string): Promise<RuleWithGroup> {
  const [row] = await selectRules(ctx).where(and(eq(securityGroupRules.id, id), visibleRules(ctx)));
  if (!row) throw securityGroupRuleNotFound(id);
  return row;
}
