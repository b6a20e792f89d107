import { sql } from 'drizzle-orm';
import type { ActorContext } from '../../http/context.ts';
import { notFound } from '../../http/errors.ts';
import { authorize } from '../../http/policy.ts';
import { policy } from '../policy.ts';
import { hostRows } from './find-hosts.ts';

interface Resource {
  project: string;
  cpu: number;
  memory_mb: number;
  disk_gb: number;
}

/** What a machine has, has given away, and to which projects. @throws ApiError 404 */
export async function hostUsage(ctx: ActorContext, name: string): Promise<Resource[]> {
  authorize(ctx, policy, 'os_compute_api:os-hosts:show');
  const [hosts, projects] = await ctx.db.batch([
    hostRows(ctx),
    ctx.db.all<Resource>(sql`
      SELECT s.project_id AS project, sum(s.claimed_vcpus) AS cpu, sum(s.claimed_memory_mib) AS memory_mb, sum(s.claimed_disk_gib) AS disk_gb
      FROM servers s JOIN runners r ON r.id = s.runner_id
      WHERE r.region = ${ctx.region} AND r.name = ${name} AND s.deleted_at_ms IS NULL GROUP BY s.project_id ORDER BY s.project_id`),
  ]);
  const row = hosts.find((one) => one.name === name);
  if (!row) throw notFound(`Compute host ${name} could not be found.`);
  const used = { cpu: row.vcpusClaimed, memory_mb: row.memoryMibClaimed, disk_gb: row.diskGibClaimed };
  return [
    { project: '(total)', cpu: row.vcpus, memory_mb: row.memoryMib, disk_gb: row.diskGib },
    { project: '(used_now)', ...used },
    { project: '(used_max)', ...used },
    ...projects,
  ];
}
