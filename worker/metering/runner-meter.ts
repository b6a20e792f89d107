import { WINDOW_MS } from '../../shared/meters.ts';
import type { RunnerMessageOf } from '../../shared/protocol/messages.ts';
import type { Context } from '../http/context.ts';
import { type Book, factsOf, openBook } from './book.ts';
import { hourOfStart, hoursToSeal } from './hours.ts';
import { ingest } from './ingest.ts';
import { BEHIND_MAX_MS, RETRY_MS, SEAL_GRACE_MS } from './limits.ts';
import { type Arrival, type LiveFrom, type LiveStart, liveFrom, nextArrival, type Watched } from './live/arrivals.ts';
import { type MeterPoint, type PointsAsked, readPoints } from './read-points.ts';
import { tellRefusals } from './refusals.ts';
import { seal, sealableMs } from './seal.ts';
import { keepUp } from './upkeep.ts';

/** Machines seal an hour at different moments of this time after it, so that not all of them write at once. */
const SPREAD_MS = 60_000;

/** What a machine's object has for its samples. Nothing is opened before there are any. */
export interface RunnerMeter {
  /** Takes samples. @returns up to which batch the spool is kept for good; 0 where there is none */
  take(ctx: Context, of: { runnerId: string; session: string; message: RunnerMessageOf<'metered'> }): Promise<number>;
  /** Seals what can be, tells what was refused, lets go of what is over. @throws where the database fails */
  round(ctx: Context): Promise<void>;
  /** When the next round is due; null: none. */
  dueMs(nowMs: number): number | null;
  /** Who speaks here; null before the first samples. */
  of(): { runnerId: string; region: string } | null;
  points(asked: PointsAsked): MeterPoint[];
  /** Where live figures begin or go on. */
  liveFrom(from: LiveFrom): LiveStart;
  /** The next points that came, of what is watched; null where there are none yet. */
  nextArrival(watched: readonly Watched[], afterN: number): Arrival | null;
}

/** The meter of an object, on its storage. */
export function runnerMeter(storage: DurableObjectStorage): RunnerMeter {
  let opened: Book | undefined;
  const book = () => {
    opened ??= openBook(storage);
    return opened;
  };
  const isThere = () => opened !== undefined || hasBook(storage);
  return {
    take: (ctx, of) => ingest(ctx, book(), of),
    round: async (ctx) => {
      if (!isThere()) return;
      await round(ctx, book());
    },
    dueMs: (nowMs) => (isThere() ? dueMs(book(), nowMs) : null),
    of: () => {
      const { runnerId, region } = isThere() ? factsOf(book()) : { runnerId: '', region: '' };
      return runnerId === '' ? null : { runnerId, region };
    },
    points: (asked) => (isThere() ? readPoints(book(), asked) : []),
    liveFrom: (from) => (isThere() ? liveFrom(book(), from) : { n: 0, atMs: from.atMs, gap: false }),
    nextArrival: (watched, afterN) => (isThere() ? nextArrival(book(), watched, afterN) : null),
  };
}

const hasBook = (storage: DurableObjectStorage): boolean =>
  storage.sql.exec(`SELECT 1 FROM sqlite_master WHERE name = 'meter_facts'`).toArray().length > 0;

async function round(ctx: Context, book: Book): Promise<void> {
  const facts = factsOf(book);
  if (facts.runnerId === '') return;
  await tellRefusals(ctx, book, facts.runnerId);
  await seal(ctx, book, facts);
  book.left = keepUp(book, factsOf(book), ctx.clock.nowMs());
}

function dueMs(book: Book, nowMs: number): number | null {
  const facts = factsOf(book);
  if (facts.runnerId === '') return null;
  const { sql } = book.storage;
  const untold = sql.exec('SELECT 1 FROM meter_refused WHERE told = 0 LIMIT 1').toArray().length > 0;
  const sealable = sealableMs(facts, nowMs);
  const behind = facts.sealedMs < sealable || hoursToSeal(book, sealable, 1).length > 0;
  if (untold || behind || book.left) return nowMs + RETRY_MS;
  if (facts.spokenMs < nowMs - BEHIND_MAX_MS) return null;
  return hourOfStart(nowMs) + WINDOW_MS + SEAL_GRACE_MS + spreadMs(facts.runnerId);
}

/** The same for a machine at all times. */
const spreadMs = (runnerId: string): number =>
  [...runnerId].reduce((sum, char) => (sum * 31 + char.charCodeAt(0)) % SPREAD_MS, 0);
