import { sql } from 'drizzle-orm';
import { Hono } from 'hono';
import type { ActorContext } from '../http/context.ts';
import { authorize } from '../http/policy.ts';
import { actorOf, type ComputeEnv } from './http/env.ts';
import type { Microversion } from './http/microversion.ts';
import { last, type Query, refuseUnknown } from './http/paging.ts';
import { METADATA_ITEMS_MAX } from './http/parameters.ts';
import { KEYPAIRS_PER_USER_MAX } from './keypairs/create-keypair.ts';
import { policy } from './policy.ts';

/** How Nova says that there is no limit. */
export const UNLIMITED = -1;

interface Usage {
  instances: number;
  cores: number;
  ramMib: number;
  securityGroups: number;
}

/** What a project uses, in one read. @throws ApiError 403 another project's for anyone but an admin */
async function usageOf(ctx: ActorContext, query: Query, version: Microversion): Promise<Usage> {
  authorize(ctx, policy, 'os_compute_api:limits');
  refuseUnknown(query, ['tenant_id'], version);
  const other = last(query, 'tenant_id');
  if (other !== undefined) authorize(ctx, policy, 'os_compute_api:limits:other_project');
  const projectId = other ?? ctx.actor.projectId ?? '';
  const [usage] = await ctx.db.all<Usage>(sql`
    SELECT count(*) AS instances, coalesce(sum(flavor ->> 'vcpus'), 0) AS cores, coalesce(sum(flavor ->> 'ramMib'), 0) AS ramMib,
      (SELECT count(*) FROM security_groups WHERE region = ${ctx.region} AND project_id = ${projectId}) AS securityGroups
    FROM servers WHERE region = ${ctx.region} AND project_id = ${projectId} AND deleted_at_ms IS NULL`);
  return usage ?? { instances: 0, cores: 0, ramMib: 0, securityGroups: 0 };
}

/** Limits and what is used of them; what other services took over is there for old versions alone. */
function limitsView(usage: Usage, version: Microversion) {
  return {
    maxServerMeta: METADATA_ITEMS_MAX,
    ...(version < 39 ? { maxImageMeta: METADATA_ITEMS_MAX } : {}),
    ...(version < 57 ? { maxPersonality: 0, maxPersonalitySize: 0 } : {}),
    maxTotalInstances: UNLIMITED,
    maxTotalCores: UNLIMITED,
    maxTotalRAMSize: UNLIMITED,
    maxTotalKeypairs: KEYPAIRS_PER_USER_MAX,
    maxServerGroups: 0,
    maxServerGroupMembers: 0,
    totalInstancesUsed: usage.instances,
    totalCoresUsed: usage.cores,
    totalRAMUsed: usage.ramMib,
    totalServerGroupsUsed: 0,
    ...(version < 36
      ? {
          maxTotalFloatingIps: UNLIMITED,
          maxSecurityGroups: UNLIMITED,
          maxSecurityGroupRules: UNLIMITED,
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
  const usage = await usageOf(actorOf(c), c.req.queries(), version);
  return c.json({ limits: { rate: [], absolute: limitsView(usage, version) } });
});
