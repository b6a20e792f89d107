import { Hono } from 'hono';
import type { ActorContext } from '../../http/context.ts';
import { badRequest } from '../../http/errors.ts';
import { authorize } from '../../http/policy.ts';
import { hostRows } from '../hosts/find-hosts.ts';
import { actorOf, type ComputeEnv } from '../http/env.ts';
import { policy } from '../policy.ts';

const spaced = (ms: number) => new Date(ms).toISOString().slice(0, 19).replace('T', ' ');

/** The last whole month before a time, Nova's period of an audit. */
function monthBefore(ms: number): { from: number; until: number } {
  const now = new Date(ms);
  const [year, month] = [now.getUTCFullYear(), now.getUTCMonth()];
  return { from: Date.UTC(year, month - 1), until: Date.UTC(year, month) };
}

/** Usage is counted as it happens, so no host ever runs an audit of a period: that is what its log says. */
async function auditLog(ctx: ActorContext, beforeMs: number) {
  const hosts = (await hostRows(ctx)).map((row) => row.name);
  const { from, until } = monthBefore(beforeMs);
  return {
    period_beginning: spaced(from),
    period_ending: spaced(until),
    num_hosts: hosts.length,
    num_hosts_done: 0,
    num_hosts_running: 0,
    num_hosts_not_run: hosts.length,
    hosts_not_run: hosts,
    total_instances: 0,
    total_errors: 0,
    overall_status: `0 of ${hosts.length} hosts done. 0 errors.`,
    log: {},
  };
}

/** `/os-instance_usage_audit_log`. */
export const auditLogRoutes = new Hono<ComputeEnv>();

auditLogRoutes.get('/', async (c) => {
  const ctx = actorOf(c);
  authorize(ctx, policy, 'os_compute_api:os-instance-usage-audit-log:list');
  return c.json({ instance_usage_audit_logs: await auditLog(ctx, ctx.clock.nowMs()) });
});

auditLogRoutes.get('/:before', async (c) => {
  const ctx = actorOf(c);
  authorize(ctx, policy, 'os_compute_api:os-instance-usage-audit-log:show');
  // Clients escape the time's colons and space once more than a path needs.
  const before = decodeURIComponent(c.req.param('before'));
  const ms = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?$/.test(before)
    ? Date.parse(`${before.replace(' ', 'T')}Z`)
    : Number.NaN;
  if (Number.isNaN(ms)) throw badRequest(`Invalid timestamp for date ${before}`);
  return c.json({ instance_usage_audit_log: await auditLog(ctx, ms) });
});
