import { type SQL, sql } from 'drizzle-orm';
import type { ActorContext } from '../../http/context.ts';
import { isAdmin } from '../../http/policy.ts';
import { may, type NetworkAction } from '../policy.ts';
import { networkGranted, type ObjectType, sharedWith } from '../rbac/shared-with.ts';

/** The project whose things the actor may read; null for none. */
function readable(ctx: ActorContext, action: NetworkAction): string | null {
  const { projectId } = ctx.actor;
  return projectId !== null && may(ctx, action, { projectId }) ? projectId : null;
}

const inRegion = (ctx: ActorContext, table: string): SQL => sql`${sql.identifier(table)}.region = ${ctx.region}`;

/** What of a table an actor sees where nothing of it is shared: the project's own; all for an admin. */
export function ownOrAll(ctx: ActorContext, action: NetworkAction, table: string): SQL {
  if (isAdmin(ctx)) return inRegion(ctx, table);
  return sql`(${inRegion(ctx, table)} AND ${sql.identifier(table)}.project_id = ${readable(ctx, action)})`;
}

/** What of a table an actor sees: the project's own, and what a policy shares with it; all for an admin. */
function ownOrShared(ctx: ActorContext, action: NetworkAction, of: { table: string; type: ObjectType }): SQL {
  if (isAdmin(ctx)) return inRegion(ctx, of.table);
  const project = readable(ctx, action);
  const table = sql.identifier(of.table);
  return sql`(${inRegion(ctx, of.table)} AND (${table}.project_id = ${project} OR ${sharedWith(of.type, sql`${table}.id`, sql`${project}`)}))`;
}

/** The things of a kind that an actor sees. */
export function visibleOf(ctx: ActorContext, type: ObjectType): SQL {
  switch (type) {
    case 'network':
      return visibleNetworks(ctx);
    case 'security_group':
      return visibleGroups(ctx);
    case 'address_scope':
      return ownOrShared(ctx, 'get_address_scope', { table: 'address_scopes', type });
    case 'subnetpool':
      return ownOrShared(ctx, 'get_subnetpool', { table: 'subnetpools', type });
    case 'address_group':
      return ownOrShared(ctx, 'get_address_group', { table: 'address_groups', type });
    case 'qos_policy':
      return ownOrShared(ctx, 'get_policy', { table: 'qos_policies', type });
  }
}

/** The networks that an actor sees: the project's own, shared ones, and those its routers may have as gateway; all for an admin. */
export function visibleNetworks(ctx: ActorContext): SQL {
  if (isAdmin(ctx)) return inRegion(ctx, 'networks');
  const project = readable(ctx, 'get_network');
  return sql`(${inRegion(ctx, 'networks')} AND (networks.project_id = ${project} OR ${networkGranted(sql`networks.id`, sql`${project}`)}))`;
}

/** The subnets that an actor sees: those of the project, of its networks and of networks shared with it. */
export function visibleSubnets(ctx: ActorContext): SQL {
  if (isAdmin(ctx)) return inRegion(ctx, 'subnets');
  const project = readable(ctx, 'get_subnet');
  return sql`(${inRegion(ctx, 'subnets')} AND (subnets.project_id = ${project} OR subnets.network_id IN
    (SELECT n.id FROM networks n WHERE n.project_id = ${project} OR ${sharedWith('network', sql`n.id`, sql`${project}`)})))`;
}

/** The ports that an actor sees: those of the project, and any on its networks. */
export function visiblePorts(ctx: ActorContext): SQL {
  if (isAdmin(ctx)) return inRegion(ctx, 'ports');
  const project = readable(ctx, 'get_port');
  return sql`(${inRegion(ctx, 'ports')} AND (ports.project_id = ${project} OR ports.network_id IN
    (SELECT id FROM networks WHERE project_id = ${project})))`;
}

/** The security groups that an actor sees: the project's own, and those shared with it. */
export function visibleGroups(ctx: ActorContext): SQL {
  return ownOrShared(ctx, 'get_security_group', { table: 'security_groups', type: 'security_group' });
}

/** The rules that an actor sees: those of the groups it sees. */
export function visibleRules(ctx: ActorContext): SQL {
  return sql`security_group_rules.group_id IN (SELECT id FROM security_groups WHERE ${visibleGroups(ctx)})`;
}
