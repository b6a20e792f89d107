import { sql } from 'drizzle-orm';
import type { Observation } from '../../../shared/protocol/messages.ts';
import { stillDesired } from '../../fleet/desired.ts';
import type { Effect } from '../../fleet/observers.ts';
import type { Context } from '../../http/context.ts';

type Status = 'ACTIVE' | 'DOWN' | 'ERROR';

function statusOf(ctx: Context, runnerId: string, observation: Observation): Status | null {
  switch (observation.state) {
    case 'applied':
      return 'ACTIVE';
    case 'failed':
      ctx.log.error('floating-ip-failed', { runnerId, id: observation.id, fault: observation.fault });
      return 'ERROR';
    case 'stopped':
    case 'absent':
      return 'DOWN';
    default:
      return null;
  }
}

/** What a runner's report of a floating IP changes: its status, ACTIVE while the machine of its port has it in force. */
export function floatingIpObserved(ctx: Context, runnerId: string, observation: Observation): Effect {
  const status = statusOf(ctx, runnerId, observation);
  if (status === null) return { statements: [] };
  const now = ctx.clock.nowMs();
  return {
    statements: [
      ctx.db.run(sql`UPDATE floating_ips SET status = ${status}, revision = revision + 1, updated_at_ms = ${now}
        WHERE id = ${observation.id} AND status <> ${status} AND ${stillDesired(runnerId, observation)}
          AND port_id IN (SELECT id FROM ports WHERE runner_id = ${runnerId})`),
    ],
  };
}

/** What a runner's report of a forwarded port changes: the status of the floating IP, which follows its holder. */
export function portForwardingObserved(ctx: Context, runnerId: string, observation: Observation): Effect {
  const status = statusOf(ctx, runnerId, observation);
  if (status === null || observation.state === 'absent') return { statements: [] };
  const now = ctx.clock.nowMs();
  return {
    statements: [
      ctx.db.run(sql`UPDATE floating_ips SET status = ${status}, revision = revision + 1, updated_at_ms = ${now}
        WHERE id = (SELECT floating_ip_id FROM port_forwardings WHERE id = ${observation.id}) AND status <> ${status}
          AND holder_id = ${runnerId} AND ${stillDesired(runnerId, observation)}`),
    ],
  };
}

/** What a runner's report of a router changes: nothing; a failure is told in the log. */
export function routerObserved(ctx: Context, runnerId: string, observation: Observation): Effect {
  if (observation.state === 'failed') {
    ctx.log.error('router-failed', { runnerId, routerId: observation.id, fault: observation.fault });
  }
  return { statements: [] };
}
