import { sql } from 'drizzle-orm';
import { Hono } from 'hono';
import type { Statement } from '../http/commit.ts';
import type { ActorContext } from '../http/context.ts';
import { authorize } from '../http/policy.ts';
import { actorOf, type ComputeEnv } from './http/env.ts';
import type { Microversion } from './http/microversion.ts';
import { last, type Query, refuseUnknown } from './http/paging.ts';
import { policy } from './policy.ts';
import { limitsOf, limitsRead } from './quotas/limits-in-force.ts';
import type { Limits } from './quotas/quota-sets.ts';
import { type ServerShare, usageRead } from './quotas/usage.ts';

interface Usage extends ServerShare {
  securityGroups: number;
  serverGroups: number;
}
interface Standing {
  limits: Limits;
  usage: Usage;
}

/** What a project may have and uses, in one batch. @throws ApiError 403 another project's for anyone but an admin */
async function standingOf(ctx: ActorContext, query: Query, version: Microversion): Promise<Standing> {
  authorize(ctx, policy, 'os_compute_api:limits');
  refuseUnknown(query, ['tenant_id'], version);
  const other = last(query, 'tenant_id');
  if (other !== undefined) authorize(ctx, policy, 'os_compute_api:limits:other_project');
  const projectId = other ?? ctx.actor.projectId ?? '';
  const groupsIn = (table: string) =>
    sql`(SELECT count(*) FROM ${sql.raw(table)} WHERE region = ${ctx.region} AND project_id = ${projectId})`;
  const [limits, shares, groups] = await ctx.db.batch([
    limitsRead(ctx, { projectId, ...(other === undefined ? { userId: ctx.actor.userId } : {}) }),
    usageRead(ctx, { projectId }),
    ctx.db.all(
      sql`SELECT ${groupsIn('security_groups')} AS securityGroups, ${groupsIn('server_groups')} AS serverGroups`,
    ),
  ] as [Statement, ...Statement[]]);
  return {
    limits: limitsOf(limits),
    usage: { ...(shares as ServerShare[])[0], ...(groups as Omit<Usage, keyof ServerShare>[])[0] } as Usage,
  };
}

/** Limits and what is used of them; what other services took over is there for old versions alone. */
function limitsView({ limits, usage }: Standing, version: Microversion) {
  return {
    maxServerMeta: limits.metadata_items,
    ...(version < 39 ? { maxImageMeta: limits.metadata_items } : {}),
    ...(version < 57
      ? { maxPersonality: limits.injected_files, maxPersonalitySize: limits.injected_file_content_bytes }
      : {}),
    maxTotalInstances: limits.instances,
    maxTotalCores: limits.cores,
    maxTotalRAMSize: limits.ram,
    maxTotalKeypairs: limits.key_pairs,
    maxServerGroups: limits.server_groups,
    maxServerGroupMembers: limits.server_group_members,
    totalInstancesUsed: usage.instances,
    totalCoresUsed: usage.cores,
    totalRAMUsed: usage.ram,
    totalServerGroupsUsed: usage.serverGroups,
    ...(version < 36
      ? {
          maxTotalFloatingIps: limits.floating_ips,
          maxSecurityGroups: limits.security_groups,
          maxSecurityGroupRules: limits.security_group_rules,
          totalFloatingIpsUsed: 0,
          totalSecurityGroupsUsed: usage.securityGroups,
        }
      : {}),
  };
}

/** `/limits`. */
export const limitRoutes = new Hono<ComputeEnv>();

limitRoutes.get('/', async (c) => {
  const version = c.get('microversion');
  const standing = await standingOf(actorOf(c), c.req.queries(), version);
  return c.json({ limits: { rate: [], absolute: limitsView(standing, version) } });
});
