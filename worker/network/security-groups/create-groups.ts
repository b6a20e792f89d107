import { and, eq, inArray } from 'drizzle-orm';
import { securityGroups } from '../../../db/schema/network.ts';
import { commit, type Statement } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import type { Created } from '../api/attributes.ts';
import { inOrder } from '../api/in-order.ts';
import { whileRacing } from '../api/races.ts';
import { enforce } from '../policy.ts';
import { assertQuota } from '../quotas/assert-quota.ts';
import type { groupAttributes } from './attributes.ts';
import { type GroupWithRules, selectGroups } from './group-rows.ts';
import { DEFAULT_GROUP_NAME, insertGroup, newDefaultGroup, newGroup } from './new-group.ts';

export type NewGroup = Created<typeof groupAttributes> & { projectId: string };

/**
 * Makes security groups that let their members out, all or none; and their projects' default group where it is missing.
 * @returns them in the order asked for
 */
export function createGroups(ctx: ActorContext, inputs: NewGroup[]): Promise<GroupWithRules[]> {
  for (const input of inputs) enforce(ctx, 'create_security_group', { projectId: input.projectId });
  return whileRacing(async () => {
    const made = inputs.map(({ projectId, name, description, stateful = true }) =>
      newGroup(ctx, { projectId, name, description, stateful }),
    );
    const ids = made.map(({ group }) => group.id);
    const results = await commit(ctx, {
      audit: { action: 'create_security_group', targetType: 'security_group', targetId: ids[0] ?? '', detail: { ids } },
      statements: [
        ...(await missingDefaults(ctx, inputs)),
        ...made.flatMap((one) => insertGroup(ctx, one)),
        ...assertQuota(
          ctx,
          'security_group',
          inputs.map(({ projectId }) => projectId),
        ),
        ...assertQuota(
          ctx,
          'security_group_rule',
          inputs.map(({ projectId }) => projectId),
        ),
        selectGroups(ctx).where(inArray(securityGroups.id, ids)),
      ],
    });
    return inOrder(results.at(-1) as GroupWithRules[], ids);
  });
}

async function missingDefaults(ctx: ActorContext, inputs: NewGroup[]): Promise<Statement[]> {
  const projectIds = [...new Set(inputs.map((input) => input.projectId))];
  const found = await ctx.db
    .select({ projectId: securityGroups.projectId })
    .from(securityGroups)
    .where(
      and(
        eq(securityGroups.region, ctx.region),
        inArray(securityGroups.projectId, projectIds),
        eq(securityGroups.name, DEFAULT_GROUP_NAME),
      ),
    );
  const missing = projectIds.filter((id) => !found.some((row) => row.projectId === id));
  return missing.flatMap((id) => insertGroup(ctx, newDefaultGroup(ctx, id)));
}
