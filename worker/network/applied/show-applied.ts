import { runnerStatus } from '../../fleet/views.ts';
import type { ActorContext } from '../../http/context.ts';
import { isAdmin } from '../../http/policy.ts';
import { showNetwork } from '../networks/show-network.ts';
import { enforce } from '../policy.ts';
import { showPort } from '../ports/show-port.ts';
import { showRouter } from '../routers/router-rows.ts';
import { showGroup } from '../security-groups/show-group.ts';
import { type AppliedHost, type AppliedKind, appliedHosts } from './applied-hosts.ts';

const SHOW: Record<AppliedKind, (ctx: ActorContext, id: string) => Promise<{ projectId: string; revision: number }>> = {
  network: showNetwork,
  router: showRouter,
  'security-group': showGroup,
  port: showPort,
};

/**
 * On how many of the machines that should hold an object it is in force as it is now, by what they reported. Which
 * machines these are, only an admin is told.
 * @throws ApiError 404 there is none that the actor sees; 403 it is another project's
 */
export async function showApplied(ctx: ActorContext, kind: AppliedKind, id: string) {
  const { projectId, revision } = await SHOW[kind](ctx, id);
  enforce(ctx, 'get_applied', { projectId });
  const hosts = await appliedHosts(ctx, kind, id);
  return {
    kind,
    id,
    revision_number: revision,
    hosts_applied: hosts.filter(({ pending }) => pending === 0).length,
    hosts_total: hosts.length,
    ...(isAdmin(ctx) ? { hosts: hosts.map((host) => hostView(ctx, host)) } : {}),
  };
}

const hostView = (ctx: ActorContext, host: AppliedHost) => ({
  name: host.name,
  status: runnerStatus({ ...host, connected: host.connected === 1 }, ctx.clock.nowMs()),
  generation: host.generation,
  applied: host.pending === 0,
  pending: host.pending,
});
