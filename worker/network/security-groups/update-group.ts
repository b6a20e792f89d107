import { eq, sql } from 'drizzle-orm';
import { securityGroups } from '../../../db/schema/network.ts';
import { commit } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { conflict } from '../../http/errors.ts';
import type { Updated } from '../api/attributes.ts';
import { assertRevision, checkRevision, whileRacing } from '../api/races.ts';
import { enforce } from '../policy.ts';
import type { groupAttributes } from './attributes.ts';
import { assertUnused, usedGroup } from './group-in-use.ts';
import { type GroupWithRules, selectGroups } from './group-rows.ts';
import { DEFAULT_GROUP_NAME } from './new-group.ts';
import { showGroup } from './show-group.ts';

export interface GroupUpdate {
  id: string;
  changes: Updated<typeof groupAttributes>;
  expectedRevision: number | undefined;
}

/**
 * Renames or describes a group, or has it keep state or not while no port has it.
 * @throws ApiError 403 not allowed, 404 not seen, 409 a default group's name, or in use, 412 another revision
 */
export function updateGroup(
  ctx: ActorContext,
  { id, changes, expectedRevision }: GroupUpdate,
): Promise<GroupWithRules> {
  return whileRacing(async () => {
    const row = await showGroup(ctx, id);
    enforce(ctx, 'update_security_group', { projectId: row.projectId });
    checkRevision(expectedRevision, row);
    if (row.name === DEFAULT_GROUP_NAME && changes.name !== undefined) {
      throw conflict('Updating default security group not allowed.', 'SecurityGroupCannotUpdateDefault');
    }
    const stateful = changes.stateful ?? row.stateful;
    const turned = stateful !== row.stateful;
    const results = await commit(ctx, {
      audit: { action: 'update_security_group', targetType: 'security_group', targetId: id, detail: { ...changes } },
      statements: [
        assertRevision(ctx, 'security_groups', row),
        ...(turned ? [assertUnused(ctx, id)] : []),
        ctx.db
          .update(securityGroups)
          .set({
            name: changes.name ?? row.name,
            description: changes.description ?? row.description,
            stateful,
            revision: sql`revision + 1`,
            updatedAtMs: ctx.clock.nowMs(),
          })
          .where(eq(securityGroups.id, id)),
        selectGroups(ctx).where(eq(securityGroups.id, id)),
      ],
    }).catch((error: unknown) => {
      throw usedGroup(error, id);
    });
    const [updated] = results.at(-1) as GroupWithRules[];
    return updated ?? row;
  });
}
