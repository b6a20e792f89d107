import type { Statement } from '../../http/commit.ts';
import type { ProjectContext } from '../../http/context.ts';
import { badRequest, conflict } from '../../http/errors.ts';
import { DEFAULT_GROUP_NAME, type GroupRow, insertGroup, newDefaultGroup } from '../security-groups/new-group.ts';

/**
 * The groups that a server's new ports get, by name or id as Nova takes them; the project's default group is made
 * where it is needed and missing.
 * @throws ApiError 400 unknown group, 409 several of one name
 */
export function chooseServerGroups(
  ctx: ProjectContext,
  names: string[],
  found: GroupRow[],
): { ids: string[]; statements: Statement[] } {
  const statements: Statement[] = [];
  const wanted = names.length > 0 ? names : [DEFAULT_GROUP_NAME];
  const ids = wanted.map((name) => {
    const named = found.filter((group) => group.name === name);
    if (named.length > 1) {
      throw conflict(
        `Multiple security groups found matching '${name}'. Use an ID to be more specific.`,
        'NoUniqueMatch',
      );
    }
    const one = named[0] ?? found.find((group) => group.id === name);
    if (one) return one.id;
    if (name !== DEFAULT_GROUP_NAME) {
      throw badRequest(`Security group ${name} not found for project ${ctx.actor.projectId}.`, 'SecurityGroupNotFound');
    }
    const made = newDefaultGroup(ctx, ctx.actor.projectId);
    found.push(made.group);
    statements.push(...insertGroup(ctx, made));
    return made.group.id;
  });
  return { ids: [...new Set(ids)], statements };
}
