import { type SQL, sql } from 'drizzle-orm';
import type { ActorContext } from '../../http/context.ts';
import { isAdmin } from '../../http/policy.ts';
import { may, type NetworkAction } from '../policy.ts';

/** The project whose things the actor may read; null for none. */
function readable(ctx: ActorContext, action: NetworkAction): string | null {
  const { projectId } = ctx.actor;
  return projectId !== null && may(ctx, action, { projectId }) ? projectId : null;
}

const inRegion = (ctx: ActorContext, table: string): SQL => sql`${sql.identifier(table)}.region = ${ctx.region}`;

/** The networks that an actor sees: the project's own and shared ones; all for an admin. */
export function visibleNetworks(ctx: ActorContext): SQL {
  if (isAdmin(ctx)) return inRegion(ctx, 'networks');
  const project = readable(ctx, 'get_network');
  return sql`(${inRegion(ctx, 'networks')} AND (networks.project_id = ${project} OR networks.shared))`;
}

/** The subnets that an actor sees: those of the project, of its networks and of shared ones. */
export function visibleSubnets(ctx: ActorContext): SQL {
  if (isAdmin(ctx)) return inRegion(ctx, 'subnets');
  const project = readable(ctx, 'get_subnet');
  return sql`(${inRegion(ctx, 'subnets')} AND (subnets.project_id = ${project} OR subnets.network_id IN
    (SELECT id FROM networks WHERE project_id = ${project} OR shared)))`;
}

/** The ports that an actor sees: those of the project, and any on its networks. */
export function visiblePorts(ctx: ActorContext): SQL {
  if (isAdmin(ctx)) return inRegion(ctx, 'ports');
  const project = readable(ctx, 'get_port');
  return sql`(${inRegion(ctx, 'ports')} AND (ports.project_id = ${project} OR ports.network_id IN
    (SELECT id FROM networks WHERE project_id = ${project})))`;
}

/** The security groups that an actor sees: the project's own. */
export function visibleGroups(ctx: ActorContext): SQL {
  if (isAdmin(ctx)) return inRegion(ctx, 'security_groups');
  const project = readable(ctx, 'get_security_group');
  return sql`(${inRegion(ctx, 'security_groups')} AND security_groups.project_id = ${project})`;
}

/** The rules that an actor sees: those of the groups it sees. */
export function visibleRules(ctx: ActorContext): SQL {
  return sql`security_group_rules.group_id IN (SELECT id FROM security_groups WHERE ${visibleGroups(ctx)})`;
}
