import { type SQL, sql } from 'drizzle-orm';
import type { Observation } from '../../../shared/protocol/messages.ts';
import type { Statement } from '../../http/commit.ts';
import type { Context } from '../../http/context.ts';
import type { Effect } from '../observers.ts';

/** Reports that do not say that a wish is in force. */
const NOT_IN_FORCE: readonly string[] = ['failed', 'absent', 'working'];

/**
 * Notes which wishes a runner reports in force, and takes back what it reports otherwise by now. It comes before what
 * else the reports cause, since that may change the wishes.
 */
export function acknowledgeApplied(ctx: Context, runnerId: string, observations: Observation[]): Effect {
  const last = [...new Map(observations.map((one) => [`${one.kind} ${one.id}`, one])).values()];
  const inForce = (one: Observation) => !NOT_IN_FORCE.includes(one.state);
  return {
    statements: [
      ...note(ctx, runnerId, { seen: last.filter(inForce), applied: sql`generation` }),
      ...note(ctx, runnerId, { seen: last.filter((one) => !inForce(one)), applied: sql`NULL` }),
    ],
  };
}

/** Writes it of those wishes alone that are still the ones observed. */
function note(ctx: Context, runnerId: string, { seen, applied }: { seen: Observation[]; applied: SQL }): Statement[] {
  if (seen.length === 0) return [];
  const objects = JSON.stringify(seen.map(({ kind, id, generation }) => ({ kind, id, generation })));
  // The order of a CROSS JOIN is kept: a search for each report, not a scan of all that the runner holds.
  return [
    ctx.db.run(sql`
      UPDATE desired SET applied_generation = ${applied} WHERE rowid IN (
        SELECT wish.rowid FROM json_each(${objects}) one CROSS JOIN desired wish
          ON wish.runner_id = ${runnerId} AND wish.kind = one.value ->> '$.kind' AND wish.id = one.value ->> '$.id'
        WHERE wish.generation = one.value ->> '$.generation' AND wish.deleted = 0 AND wish.applied_generation IS NOT ${applied})`),
  ];
}
