import { sql } from 'drizzle-orm';
import type { Observation } from '../../shared/protocol/messages.ts';
import { stillDesired } from '../fleet/desired.ts';
import type { Effect } from '../fleet/observers.ts';
import type { Statement } from '../http/commit.ts';
import type { Context } from '../http/context.ts';
import { dropUnneeded } from './desired/drops.ts';

/**
 * What a runner's report of a port changes: its status, which is ACTIVE only with its rules in force; and once it is gone,
 * what the runner held for it alone.
 */
export function portObserved(ctx: Context, runnerId: string, observation: Observation): Effect {
  switch (observation.state) {
    case 'applied':
    case 'running':
      return { statements: [setStatus(ctx, runnerId, observation, 'ACTIVE')] };
    case 'failed':
      ctx.log.error('port-failed', { runnerId, portId: observation.id, fault: observation.fault });
      return { statements: [setStatus(ctx, runnerId, observation, 'ERROR')] };
    case 'stopped':
      return { statements: [setStatus(ctx, runnerId, observation, 'DOWN')] };
    case 'absent':
      return absent(ctx, runnerId, observation);
    default:
      return { statements: [] };
  }
}

function setStatus(ctx: Context, runnerId: string, observation: Observation, status: string): Statement {
  return ctx.db.run(sql`
    UPDATE ports SET status = ${status}, revision = revision + 1, updated_at_ms = ${ctx.clock.nowMs()}
    WHERE id = ${observation.id} AND runner_id = ${runnerId} AND status <> ${status} AND ${stillDesired(runnerId, observation)}`);
}

/** A port that should be there and is not is DOWN; a tombstone's end lets go of what only it needed. */
function absent(ctx: Context, runnerId: string, observation: Observation): Effect {
  const tombstone = sql`EXISTS (SELECT 1 FROM desired gone WHERE gone.runner_id = ${runnerId} AND gone.kind = 'port'
    AND gone.id = ${observation.id} AND gone.generation = ${observation.generation} AND gone.deleted = 1)`;
  return {
    touches: sql`runners.id = ${runnerId} AND ${tombstone}`,
    statements: [
      setStatus(ctx, runnerId, observation, 'DOWN'),
      ...dropUnneeded(ctx.db, runnerId, observation.id, tombstone),
    ],
  };
}
