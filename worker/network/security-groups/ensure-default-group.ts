import { and, eq, type SQL, sql } from 'drizzle-orm';
import { securityGroups } from '../../../db/schema/network.ts';
import { ConstraintFailed, commit, runBatch, type Statement } from '../../http/commit.ts';
import type { ActorContext, Context } from '../../http/context.ts';
import { may } from '../policy.ts';
import { DEFAULT_GROUP_NAME, insertGroup, newDefaultGroup } from './new-group.ts';

/**
 * Reads something that shows a project's groups, and makes the project's default group first where it is missing: it is
 * there as soon as anyone looks. Two at once make it once.
 */
export async function withDefaultGroup<Row>(ctx: ActorContext, read: () => Statement): Promise<Row[]> {
  const { projectId } = ctx.actor;
  if (projectId === null || !may(ctx, 'get_security_group', { projectId })) {
    const [rows] = await runBatch(ctx.db, [read()]);
    return rows as Row[];
  }
  const exists = ctx.db.select({ id: securityGroups.id }).from(securityGroups).where(defaultOf(ctx, projectId));
  const [rows, found] = (await runBatch(ctx.db, [read(), exists])) as [Row[], { id: string }[]];
  if (found.length > 0) return rows;
  await makeDefaultGroup(ctx, projectId);
  const [again] = await runBatch(ctx.db, [read()]);
  return again as Row[];
}

const defaultOf = (ctx: Context, projectId: string): SQL =>
  and(
    eq(securityGroups.region, ctx.region),
    eq(securityGroups.projectId, projectId),
    eq(securityGroups.name, DEFAULT_GROUP_NAME),
  ) ?? sql`0`;

async function makeDefaultGroup(ctx: ActorContext, projectId: string): Promise<void> {
  const made = newDefaultGroup(ctx, projectId);
  try {
    await commit(ctx, {
      audit: { action: 'create_security_group', targetType: 'security_group', targetId: made.group.id },
      statements: insertGroup(ctx, made),
    });
  } catch (error) {
    const another = error instanceof ConstraintFailed && error.constraint.startsWith('security_groups.');
    if (!another) throw error;
  }
}
