import { sql } from 'drizzle-orm';
import { WINDOW_MS } from '../../shared/meters.ts';
import { runBatch, type Statement } from '../http/commit.ts';
import type { Context } from '../http/context.ts';
import { type Book, type Facts, keepFacts } from './book.ts';
import { hourOfStart, hoursToSeal, noteSealed } from './hours.ts';
import { LONG_GONE_MS, SEAL_GRACE_MS, SEALED_PER_ROUND_MAX, WINDOWS_PER_BATCH_MAX } from './limits.ts';
import { type Window, windowsOf } from './windows-of.ts';

/**
 * Up to when hours can be sealed: the machine has said all that it has of them, and some time has passed; or it has been
 * silent for so long that they are sealed as they are.
 */
export function sealableMs({ spokenMs }: Pick<Facts, 'spokenMs'>, nowMs: number): number {
  return hourOfStart(Math.max(Math.min(spokenMs, nowMs - SEAL_GRACE_MS), nowMs - LONG_GONE_MS));
}

/**
 * Seals hours to the database, the oldest first, and with them how far they are sealed. Doing it again changes nothing.
 * @returns whether there is more to seal
 * @throws where the database fails: what it has not taken stays to be sealed
 */
export async function seal(ctx: Context, book: Book, facts: Facts): Promise<boolean> {
  const byMs = sealableMs(facts, ctx.clock.nowMs());
  const hours = hoursToSeal(book, byMs, SEALED_PER_ROUND_MAX + 1);
  const more = hours[SEALED_PER_ROUND_MAX];
  for (const hour of hours.slice(0, SEALED_PER_ROUND_MAX)) {
    const windows = windowsOf(book, hour.startMs);
    for (let at = 0; at < windows.length; at += WINDOWS_PER_BATCH_MAX) {
      const some = windows.slice(at, at + WINDOWS_PER_BATCH_MAX);
      const last = at + WINDOWS_PER_BATCH_MAX >= windows.length;
      const progress = last ? [putProgress(ctx, facts, hour.startMs + WINDOW_MS)] : [];
      await runBatch(ctx.db, [putWindows(ctx, facts, hour.startMs, some), ...progress]);
    }
    noteSealed(book, hour);
  }
  const sealedMs = more ? more.startMs : byMs;
  if (sealedMs > facts.sealedMs) {
    await runBatch(ctx.db, [putProgress(ctx, facts, sealedMs)]);
    keepFacts(book, { sealedMs });
  }
  return more !== undefined;
}

/** Writes windows; one that says something new of an hour that was sealed has a revision more. */
function putWindows(ctx: Context, { runnerId }: Facts, startMs: number, windows: Window[]): Statement {
  const rows = windows.map((one) => [one.projectId, one.type, one.resource, one.meter, one.value, one.coverage]);
  return ctx.db.run(sql`
    INSERT INTO meter_windows (region, project_id, resource_type, resource_id, meter, start_ms, runner_id, value, coverage, revision, sealed_at_ms)
    SELECT ${ctx.region}, value ->> 0, value ->> 1, value ->> 2, value ->> 3, ${startMs}, ${runnerId}, value ->> 4, value ->> 5, 1, ${ctx.clock.nowMs()}
    FROM json_each(${JSON.stringify(rows)}) WHERE 1
    ON CONFLICT (resource_id, meter, start_ms, runner_id) DO UPDATE SET value = excluded.value, coverage = excluded.coverage,
      revision = meter_windows.revision + 1, sealed_at_ms = excluded.sealed_at_ms
    WHERE meter_windows.value IS NOT excluded.value OR meter_windows.coverage IS NOT excluded.coverage`);
}

const putProgress = (ctx: Context, { runnerId }: Facts, sealedMs: number): Statement =>
  ctx.db.run(sql`
    INSERT INTO meter_progress (runner_id, region, sealed_through_ms) VALUES (${runnerId}, ${ctx.region}, ${sealedMs})
    ON CONFLICT (runner_id) DO UPDATE SET sealed_through_ms = max(sealed_through_ms, excluded.sealed_through_ms)`);
