import type { ActorContext } from '../../http/context.ts';
import { badRequest } from '../../http/errors.ts';
import { authorize } from '../../http/policy.ts';
import type { Microversion } from '../http/microversion.ts';
import { policy } from '../policy.ts';
import { type HostRow, isUp } from './find-hosts.ts';
import { type Hypervisor, showHypervisor } from './hypervisors.ts';

/** How long a client waits for a machine's answer. */
const UPTIME_TIMEOUT_MS = 5_000;

/** What a machine says of how long it is up, as `uptime` prints it; null where it does not say. */
export async function uptimeOf(ctx: ActorContext, row: HostRow): Promise<string | null> {
  if (!isUp(row, ctx.clock.nowMs())) return null;
  const answer = await ctx.fleet.query(row.id, { kind: 'uptime', targetId: row.id, args: {} }, UPTIME_TIMEOUT_MS);
  return answer.ok ? ((answer.result as { uptime?: string }).uptime ?? null) : null;
}

/** A machine with how long it is up. @throws ApiError 400 it does not answer, or the id is none; 404 */
export async function hypervisorUptime(
  ctx: ActorContext,
  id: string,
  version: Microversion,
): Promise<Hypervisor & { uptime: string }> {
  authorize(ctx, policy, 'os_compute_api:os-hypervisors:uptime');
  const found = await showHypervisor(ctx, id, { query: {}, version });
  const uptime = await uptimeOf(ctx, found.row);
  if (uptime === null) throw badRequest(`Compute service of ${found.row.name} is unavailable at this time.`);
  return { ...found, uptime };
}
