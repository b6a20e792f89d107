import { eq } from 'drizzle-orm';
import { securityGroupRules } from '../../../db/schema/network.ts';
import { commit } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import type { Updated } from '../api/attributes.ts';
import { enforce } from '../policy.ts';
import type { ruleAttributes } from './attributes.ts';
import { type RuleWithGroup, selectRules } from './group-rows.ts';
import { showRule } from './show-group.ts';

/** Describes a rule; nothing else of it changes. @throws ApiError 403 not allowed, 404 not seen */
export async function updateRule(
  ctx: ActorContext,
  { id, changes }: { id: string; changes: Updated<typeof ruleAttributes> },
): Promise<RuleWithGroup> {
  const row = await showRule(ctx, id);
  enforce(ctx, 'create_security_group_rule', { projectId: row.projectId });
  const results = await commit(ctx, {
    audit: {
      action: 'update_security_group_rule',
      targetType: 'security_group_rule',
      targetId: id,
      detail: { ...changes },
    },
    statements: [
      ctx.db
        .update(securityGroupRules)
        .set({ description: changes.description ?? row.description })
        .where(eq(securityGroupRules.id, id)),
      selectRules(ctx).where(eq(securityGroupRules.id, id)),
    ],
  });
  const [updated] = results.at(-1) as RuleWithGroup[];
  return updated ?? row;
}
