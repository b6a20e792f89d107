import { type SQL, sql } from 'drizzle-orm';
import type { Database } from '../../db/client.ts';
import type { Kind, SpecOf } from '../../shared/specs/kinds.ts';
import type { Statement } from '../http/commit.ts';

/*
 * Statements that change what runners should hold. They go into a batch whose `touches` (see http/commit.ts) covers the
 * same runners: that raises each runner's generation first, and these stamp it on what they write.
 * In a condition the table `runners` is named `runners`.
 */

/** Wants an object on every runner that the condition selects. */
export function putDesired<K extends Kind>(
  db: Database,
  runnersWhere: SQL,
  object: { kind: K; id: string; spec: SpecOf<K> },
): Statement {
  return db.run(sql`
    INSERT INTO desired (runner_id, kind, id, generation, spec, deleted)
    SELECT runners.id, ${object.kind}, ${object.id}, runners.generation, ${JSON.stringify(object.spec)}, 0 FROM runners WHERE ${runnersWhere}
    ON CONFLICT (runner_id, kind, id) DO UPDATE SET generation = excluded.generation, spec = excluded.spec, deleted = 0`);
}

/** Leaves tombstones for the objects of a kind that the condition on `desired` selects; they go when runners report them absent. */
export function dropDesired(db: Database, kind: Kind, desiredWhere: SQL): Statement {
  return db.run(sql`
    UPDATE desired SET deleted = 1, spec = NULL, generation = (SELECT runners.generation FROM runners WHERE runners.id = desired.runner_id)
    WHERE desired.kind = ${kind} AND desired.deleted = 0 AND (${desiredWhere})`);
}

/** Holds while the runner's wish for this object is still the one observed; guards every write that a report causes. */
export function stillDesired(runnerId: string, observed: { kind: string; id: string; generation: number }): SQL {
  return sql`EXISTS (SELECT 1 FROM desired WHERE runner_id = ${runnerId} AND kind = ${observed.kind} AND id = ${observed.id} AND generation = ${observed.generation})`;
}
