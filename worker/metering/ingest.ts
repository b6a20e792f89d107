import type { RunnerMessageOf, Sample, SampleBatch } from '../../shared/protocol/messages.ts';
import type { Context } from '../http/context.ts';
import { type Book, type Facts, factsOf, forgetCopies, keepFacts, type Owner, ownerKey } from './book.ts';
import { markHours } from './hours.ts';
import type { Reason } from './judge.ts';
import { AHEAD_MAX_MS, BEHIND_MAX_MS, LEFT_GRACE_MS } from './limits.ts';
import { noteArrival } from './live/arrivals.ts';
import { findOwners, keepOwners, ownersOf } from './owners.ts';
import { noteRefusal } from './refusals.ts';
import { noteBatch, openSpool, spoolAck } from './spool.ts';
import { type Moment, takeValue } from './take-value.ts';

/** Points that one statement writes: its text must stay far below what a value of the storage can be. */
const POINTS_PER_STATEMENT_MAX = 20_000;

/**
 * Writes a machine's samples into its book: each batch once, in whatever order they come.
 * @returns the last batch up to which the spool is kept for good; 0 where there is none yet
 * @throws where the database or the storage fails, and then nothing is written
 */
export async function ingest(
  ctx: Context,
  book: Book,
  of: { runnerId: string; session: string; message: RunnerMessageOf<'metered'> },
): Promise<number> {
  const { runnerId, message } = of;
  const samples = message.batches.flatMap((batch) => batch.samples);
  const owners = await findOwners(ctx, book, runnerId, samples);
  try {
    const ack = book.storage.transactionSync(() => record(ctx, book, { ...of, owners }));
    await book.storage.sync();
    return ack;
  } catch (error) {
    forgetCopies(book);
    throw error;
  }
}

function record(
  ctx: Context,
  book: Book,
  of: { runnerId: string; session: string; message: RunnerMessageOf<'metered'>; owners: Owner[] },
): number {
  const { runnerId, session, message } = of;
  const { spool_id: spool, batches } = message;
  const nowMs = ctx.clock.nowMs();
  const first = batches.reduce((least, batch) => Math.min(least, batch.seq), Number.MAX_SAFE_INTEGER);
  openSpool(book, { spool, session, first, nowMs });
  keepOwners(book, of.owners);
  const facts = factsOf(book);
  if (facts.sinceMs === 0) begin(ctx, book, facts, { runnerId, batches });
  const hours = new Set<number>();
  for (const batch of batches) if (noteBatch(book, spool, batch.seq)) takeBatch(book, { batch, facts, hours, nowMs });
  markHours(book, hours, nowMs);
  const ack = spoolAck(book, spool);
  const said = batches.filter((batch) => batch.seq <= ack && wrongClock(batch, facts, nowMs) === null);
  const spokenMs = said.reduce((latest, batch) => Math.max(latest, batch.at_ms), facts.spokenMs);
  if (spokenMs > facts.spokenMs) keepFacts(book, { spokenMs });
  return ack;
}

/** The first samples of all: who speaks, and since when. */
function begin(ctx: Context, book: Book, facts: Facts, of: { runnerId: string; batches: SampleBatch[] }): void {
  const right = of.batches.filter((batch) => wrongClock(batch, facts, ctx.clock.nowMs()) === null);
  const sinceMs = right.reduce((least, batch) => Math.min(least, batch.at_ms), ctx.clock.nowMs());
  Object.assign(facts, { runnerId: of.runnerId, region: ctx.region, sinceMs });
  keepFacts(book, facts);
}

function wrongClock({ at_ms }: SampleBatch, facts: Facts, nowMs: number): Reason | null {
  if (at_ms > nowMs + AHEAD_MAX_MS) return 'clock-ahead';
  if (at_ms < nowMs - BEHIND_MAX_MS) return 'too-old';
  return at_ms <= facts.closedMs ? 'closed' : null;
}

function takeBatch(book: Book, of: { batch: SampleBatch; facts: Facts; hours: Set<number>; nowMs: number }): void {
  const { batch, facts, hours, nowMs } = of;
  const wrong = wrongClock(batch, facts, nowMs);
  if (wrong) {
    const machine = { type: 'runner', resource: facts.runnerId, meter: '', value: String(batch.at_ms) };
    noteRefusal(book, { reason: wrong, ...machine }, nowMs);
    return;
  }
  const moment: Moment = { t: batch.at_ms, nowMs, facts, hours, points: [] };
  for (const sample of batch.samples) takeSample(book, moment, sample);
  if (moment.points.length === 0) return;
  const n = noteArrival(book, moment);
  for (let at = 0; at < moment.points.length; at += POINTS_PER_STATEMENT_MAX) {
    book.storage.sql.exec(
      `INSERT OR IGNORE INTO meter_points (series, t, v, n) SELECT value ->> 0, ?, value ->> 1, ? FROM json_each(?)`,
      ...[moment.t, n, JSON.stringify(moment.points.slice(at, at + POINTS_PER_STATEMENT_MAX))],
    );
  }
}

function takeSample(book: Book, moment: Moment, sample: Sample): void {
  const { type, id, epoch, values } = sample;
  const owner = ownersOf(book).get(ownerKey(type, id));
  const gone = owner !== undefined && owner.leftAtMs !== null && moment.t > owner.leftAtMs + LEFT_GRACE_MS;
  if (!owner || gone) {
    const said = JSON.stringify(values).slice(0, 200);
    noteRefusal(book, { reason: 'not-its-own', type, resource: id, meter: '', value: said }, moment.nowMs);
    return;
  }
  for (const [name, value] of Object.entries(values)) {
    const reason = takeValue(book, moment, { owner, epoch, name, value });
    if (reason) noteRefusal(book, { reason, type, resource: id, meter: name, value: String(value) }, moment.nowMs);
  }
}
