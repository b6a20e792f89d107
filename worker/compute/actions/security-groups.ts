import { and, eq, or, sql } from 'drizzle-orm';
import { securityGroups } from '../../../db/schema/network.ts';
import type { ActorContext } from '../../http/context.ts';
import { badRequest, conflict, notFound } from '../../http/errors.ts';
import type { PortWithPlace } from '../../network/ports/port-rows.ts';
import { updatePort } from '../../network/ports/update-port.ts';
import { listInterfaces } from '../interfaces/find-interfaces.ts';
import type { ComputeAction } from '../policy.ts';

/** Puts all ports of a server into a security group, by its name or id. @throws ApiError 400 no port can be, 404, 409 */
export async function addSecurityGroup(ctx: ActorContext, serverId: string, name: string): Promise<void> {
  const { ports, groupId } = await find(ctx, serverId, name, 'os_compute_api:os-security-groups:add');
  const secured = ports.filter((port) => port.portSecurityEnabled && port.addresses.length > 0);
  if (ports.length > 0 && secured.length === 0) {
    throw badRequest('Network requires port_security_enabled and subnet associated in order to apply security groups.');
  }
  for (const port of secured.filter((one) => !one.groupIds.includes(groupId))) {
    await setGroups(ctx, port, [...port.groupIds, groupId]);
  }
}

/** Takes all ports of a server out of a security group. @throws ApiError 404 none is in it, 409 several of the name */
export async function removeSecurityGroup(ctx: ActorContext, serverId: string, name: string): Promise<void> {
  const { ports, groupId } = await find(ctx, serverId, name, 'os_compute_api:os-security-groups:remove');
  const members = ports.filter((port) => port.groupIds.includes(groupId));
  if (members.length === 0) {
    throw notFound(`Security group ${groupId} not associated with the instance ${serverId}`);
  }
  for (const port of members) {
    await setGroups(
      ctx,
      port,
      port.groupIds.filter((one) => one !== groupId),
    );
  }
}

const setGroups = (ctx: ActorContext, port: PortWithPlace, groupIds: string[]) =>
  updatePort(ctx, { id: port.id, changes: { security_groups: groupIds }, expectedRevision: undefined });

async function find(
  ctx: ActorContext,
  serverId: string,
  name: string,
  action: ComputeAction,
): Promise<{ ports: PortWithPlace[]; groupId: string }> {
  const ports = await listInterfaces(ctx, serverId, action);
  const ofServer = sql`(SELECT project_id FROM servers WHERE id = ${serverId})`;
  const found = await ctx.db
    .select({ id: securityGroups.id, name: securityGroups.name })
    .from(securityGroups)
    .where(
      and(
        eq(securityGroups.region, ctx.region),
        sql`${securityGroups.projectId} = ${ofServer}`,
        or(eq(securityGroups.name, name), eq(securityGroups.id, name)),
      ),
    );
  const named = found.filter((group) => group.name === name);
  if (named.length > 1) {
    throw conflict(`Multiple security groups found matching '${name}'. Use an ID to be more specific.`);
  }
  const group = named[0] ?? found[0];
  if (!group) throw notFound(`Security group ${name} not found for project ${ctx.actor.projectId}.`);
  return { ports, groupId: group.id };
}
