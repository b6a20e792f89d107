import { eq } from 'drizzle-orm';
import { runners } from '../../../db/schema/fleet.ts';
import type { RunnerMessageOf } from '../../../shared/protocol/messages.ts';
import { KINDS } from '../../../shared/specs/kinds.ts';
import type { Context } from '../../http/context.ts';

/** Lists what a machine holds and the database does not know; each keeps the time it was first reported. */
export async function recordUnknown(
  ctx: Context,
  runnerId: string,
  { objects }: RunnerMessageOf<'unknown'>,
): Promise<void> {
  const now = ctx.clock.nowMs();
  const [row] = await ctx.db
    .select({ known: runners.unknownObjects })
    .from(runners)
    .where(eq(runners.id, runnerId))
    .limit(1);
  const since = new Map(row?.known.map((one) => [`${one.kind}/${one.id}`, one.sinceMs]));
  const listed = objects
    .filter(({ kind }) => (KINDS as readonly string[]).includes(kind))
    .map(({ kind, id }) => ({ kind, id, sinceMs: since.get(`${kind}/${id}`) ?? now }));
  await ctx.db.update(runners).set({ unknownObjects: listed }).where(eq(runners.id, runnerId));
}
