import { type SQL, sql } from 'drizzle-orm';
import type { Observation } from '../../../shared/protocol/messages.ts';
import { KINDS, type Kind } from '../../../shared/specs/kinds.ts';
import { commitAll, type Statement } from '../../http/commit.ts';
import type { Context } from '../../http/context.ts';
import { type Effect, observers } from '../observers.ts';
import { acknowledgeApplied } from './acknowledge-applied.ts';

/** Observations that share one batch. */
const OBSERVATIONS_PER_BATCH_MAX = 100;

const isKind = (kind: string): kind is Kind => (KINDS as readonly string[]).includes(kind);

/** A tombstone goes when its absence is reported, once whoever looked at it in the same batch is done. */
function buryTombstone(ctx: Context, runnerId: string, { kind, id, generation }: Observation): Statement {
  return ctx.db.run(sql`
    DELETE FROM desired WHERE runner_id = ${runnerId} AND kind = ${kind} AND id = ${id} AND deleted = 1 AND generation <= ${generation}`);
}

function effectOf(ctx: Context, runnerId: string, observation: Observation): Effect {
  if (!isKind(observation.kind)) return { statements: [] };
  const effect = observers[observation.kind](ctx, runnerId, observation);
  if (observation.state !== 'absent') return effect;
  return { ...effect, statements: [...effect.statements, buryTombstone(ctx, runnerId, observation)] };
}

const effectsOf = (ctx: Context, runnerId: string, observations: Observation[]): Effect[] => [
  acknowledgeApplied(ctx, runnerId, observations),
  ...observations.map((one) => effectOf(ctx, runnerId, one)),
];

/** Runs effects as one batch, the runners they touch raised first. */
export async function commitEffects(ctx: Context, effects: Effect[]): Promise<void> {
  const statements = effects.flatMap((effect) => effect.statements);
  if (statements.length === 0) return;
  const touches = effects.map((effect) => effect.touches).filter((touch): touch is SQL => touch !== undefined);
  await commitAll(
    ctx,
    statements,
    touches.length > 0
      ? sql.join(
          touches.map((touch) => sql`(${touch})`),
          sql` OR `,
        )
      : undefined,
  );
}

/**
 * Writes what a runner reports, durably, before it is acknowledged. A report that the database refuses is tried alone, so
 * that it does not hold up the others; alone and refused again it is logged and dropped.
 * @throws when the database cannot be reached: nothing is acknowledged then
 */
export async function recordObserved(ctx: Context, runnerId: string, observations: Observation[]): Promise<void> {
  for (let at = 0; at < observations.length; at += OBSERVATIONS_PER_BATCH_MAX) {
    const part = observations.slice(at, at + OBSERVATIONS_PER_BATCH_MAX);
    try {
      await commitEffects(ctx, effectsOf(ctx, runnerId, part));
    } catch (error) {
      if (unreachable(error)) throw error;
      for (const one of part) await recordAlone(ctx, runnerId, one);
    }
  }
}

async function recordAlone(ctx: Context, runnerId: string, observation: Observation): Promise<void> {
  try {
    await commitEffects(ctx, effectsOf(ctx, runnerId, [observation]));
  } catch (error) {
    if (unreachable(error)) throw error;
    ctx.log.error('observation-refused', {
      runnerId,
      kind: observation.kind,
      id: observation.id,
      state: observation.state,
      error: String(error),
    });
  }
}

/** Whether an error says that the database was not reached, rather than that it refused. */
export function unreachable(error: unknown): boolean {
  for (let at = error; at instanceof Error; at = at.cause) {
    if ('code' in at && typeof at.code === 'string' && at.code.startsWith('SQLITE_'))
      return at.code === 'SQLITE_BUSY' || at.code === 'SQLITE_FULL';
    if (/constraint failed|assertion/.test(at.message)) return false;
  }
  return true;
}
