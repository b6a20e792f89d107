import { DurableObject } from 'cloudflare:workers';
import { sql } from 'drizzle-orm';
import { systemClock } from '../../shared/clock.ts';
import { farmRound } from '../billing/farmer/farm-round.ts';
import { climbLadder } from '../billing/ladder/climb-ladder.ts';
import { expireTasks } from '../compute/expire-tasks.ts';
import { watchMoves } from '../compute/migrations/watch-moves.ts';
import type { Env } from '../env.ts';
import { runBatch, type Statement } from '../http/commit.ts';
import type { Context } from '../http/context.ts';
import { recoverImports } from '../image/imports/recover-imports.ts';
import { sweepLooseBlobs } from '../image/loose-blobs.ts';
import { watchAlarms } from '../metering/alarms/watch-alarms.ts';
import { expireIntranetRules } from '../network/intranet/expire-rules.ts';
import { webhookRound } from '../webhooks/webhook-round.ts';
import { objectContext } from './object-context.ts';

/** How late a deadline may be noticed, and a lost runner be shown as gone. */
const ROUND_MS = 10_000;
/** Ended operations and expired tokens are kept this long, for whoever asks what happened. */
const KEEP_MS = 7 * 24 * 3600 * 1000;

/** One a region: ends what took too long and clears away what is over. Sleeps between its alarms. */
export class RegionWatch extends DurableObject<Env> {
  /** Starts the rounds for a region, if it is one; more calls change nothing. */
  async watch(region: string): Promise<void> {
    if ((await this.ctx.storage.getAlarm()) !== null || !(await this.#isRegion(region))) return;
    await this.ctx.storage.put('region', region);
    await this.ctx.storage.setAlarm(systemClock.nowMs() + ROUND_MS);
  }

  /** Regions are named in URLs, by anybody: one that is not ours and has no machines has nothing to watch. */
  async #isRegion(region: string): Promise<boolean> {
    if (region === this.env.REGION) return true;
    const { db } = objectContext(this.env, this.ctx, region);
    return (await db.all(sql`SELECT 1 FROM runners WHERE region = ${region} LIMIT 1`)).length > 0;
  }

  override async alarm(): Promise<void> {
    const region = (await this.ctx.storage.get<string>('region')) ?? this.env.REGION;
    // First of all: an alarm that fails too often is never called again.
    await this.ctx.storage.setAlarm(systemClock.nowMs() + ROUND_MS);
    const ctx = objectContext(this.env, this.ctx, region);
    // One after the other, and each apart: none keeps the others from their work.
    for (const [name, duty] of Object.entries(DUTIES)) {
      try {
        await duty(ctx);
      } catch (error) {
        ctx.log.error('watch-failed', { region, duty: name, error: String(error) });
      }
    }
  }
}

const DUTIES: Record<string, (ctx: Context) => Promise<unknown>> = {
  // Before their operations are ended: what a move's end means is decided with its operation.
  moves: watchMoves,
  deadlines: (ctx) => runBatch(ctx.db, roundStatements(ctx)),
  intranet: expireIntranetRules,
  blobs: sweepLooseBlobs,
  imports: recoverImports,
  billing: farmRound,
  ladder: climbLadder,
  alarms: watchAlarms,
  // Last: it finds the events of the others, too.
  webhooks: webhookRound,
};

/** What one round writes: one batch, nearly always of statements that match no row. */
export function roundStatements(ctx: Context): Statement[] {
  const now = ctx.clock.nowMs();
  return [
    ...expireTasks(ctx),
    ctx.db.run(
      sql`UPDATE runners SET connected = 0 WHERE region = ${ctx.region} AND connected = 1 AND lease_expires_at_ms < ${now}`,
    ),
    ctx.db.run(sql`
      UPDATE operations SET state = 'failed', finished_at_ms = ${now}, fault = json_object('code', 504, 'message', 'The operation was not done before its deadline.')
      WHERE region = ${ctx.region} AND state IN ('queued', 'accepted') AND deadline_ms < ${now}`),
    ctx.db.run(sql`DELETE FROM operations WHERE region = ${ctx.region} AND finished_at_ms < ${now - KEEP_MS}`),
    ctx.db.run(sql`DELETE FROM image_tasks WHERE region = ${ctx.region} AND expires_at_ms < ${now}`),
    ctx.db.run(sql`DELETE FROM join_tokens WHERE region = ${ctx.region} AND expires_at_ms < ${now - KEEP_MS}`),
    ctx.db.run(sql`DELETE FROM revocations WHERE expires_at_ms < ${now}`),
  ];
}
