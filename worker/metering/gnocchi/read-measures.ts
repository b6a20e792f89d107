import { sql } from 'drizzle-orm';
import { METERS, type Meter, SAMPLE_EVERY_MS, WINDOW_MS } from '../../../shared/meters.ts';
import type { Context } from '../../http/context.ts';
import { badRequest } from '../../http/errors.ts';
import { askPoints } from '../ask-points.ts';
import { MEASURES_MAX, RAW_KEPT_MS } from '../limits.ts';
import type { MeterPoint } from '../read-points.ts';
import type { MeteredResource } from './find-resources.ts';
import { type Measure, type Method, measuresOf } from './periods.ts';

/** What is asked of a metric. */
export interface MeasuresAsked {
  method: Method;
  granularities: readonly number[];
  fromMs: number;
  toMs: number;
}

/** Machines whose points one answer is made of: those that had the resource. */
const MACHINES_MAX = 16;
/** Series of different machines are told apart by steps of this. */
const SERIES_STEP = 2 ** 32;
const COVERED_WHOLLY = 10_000;

/** The measures of a metric, the longest periods first. @throws ApiError 400 where the time asked for is too long */
export async function readMeasures(
  ctx: Context,
  resource: Pick<MeteredResource, 'kind' | 'id'>,
  meter: Meter,
  asked: MeasuresAsked,
): Promise<Measure[]> {
  const { granularities, method } = asked;
  const sealed = isSealed(meter, method) && granularities.includes(WINDOW_MS / 1_000);
  const windows = sealed ? await readWindows(ctx, resource.id, meter, asked) : [];
  const points =
    granularities.length === 1 && windows.length > 0 && !needsPoints(ctx, windows, asked)
      ? []
      : await readPoints(ctx, resource, meter, asked);
  const known = new Set(windows.map(([startMs]) => startMs));
  return granularities.flatMap((granularityS) => {
    // Of older points only the last of each minute is left.
    const fromMs = granularityS === 10 ? Math.max(asked.fromMs, ctx.clock.nowMs() - RAW_KEPT_MS) : asked.fromMs;
    const measures = measuresOf(points, { method, granularityS, fromMs });
    if (granularityS * 1_000 !== WINDOW_MS || !sealed) return measures;
    const unsealed = measures.filter(([startMs]) => !known.has(startMs));
    return [...windows, ...unsealed].sort(([a], [b]) => a - b);
  });
}

/** What windows have: what a counter rose by, and the mean of a gauge. They stay when points are gone. */
const isSealed = (meter: Meter, { of, rate }: Method): boolean =>
  METERS[meter].type === 'counter' ? rate && (of === 'sum' || of === 'mean') : !rate && of === 'mean';

/** Whether there can be hours that are not sealed. */
const needsPoints = (ctx: Context, windows: Measure[], { toMs }: MeasuresAsked): boolean =>
  Math.min(toMs, ctx.clock.nowMs()) > (windows.at(-1)?.[0] ?? 0) + WINDOW_MS;

async function readWindows(ctx: Context, id: string, meter: Meter, asked: MeasuresAsked): Promise<Measure[]> {
  const { fromMs, toMs, method } = asked;
  const rows = await ctx.db.all<{ startMs: number; value: number; mean: number; covered: number }>(sql`
    SELECT start_ms AS startMs, sum(value) AS value, sum(value * 1.0 * coverage) / max(1, sum(coverage)) AS mean, sum(coverage) AS covered
    FROM meter_windows WHERE resource_id = ${id} AND meter = ${meter} AND start_ms >= ${fromMs - WINDOW_MS + 1} AND start_ms < ${toMs}
    GROUP BY start_ms ORDER BY start_ms LIMIT ${MEASURES_MAX}`);
  const samples = (covered: number) => Math.max(1, (covered / COVERED_WHOLLY) * (WINDOW_MS / SAMPLE_EVERY_MS));
  return rows.map(({ startMs, value, mean, covered }) => {
    if (METERS[meter].type === 'gauge') return [startMs, WINDOW_MS / 1_000, mean];
    return [startMs, WINDOW_MS / 1_000, method.of === 'sum' ? value : value / samples(covered)];
  });
}

/** Points of all machines that have or had the resource. One that does not answer has none to show now. */
async function readPoints(
  ctx: Context,
  { kind, id }: Pick<MeteredResource, 'kind' | 'id'>,
  meter: Meter,
  { fromMs, toMs }: MeasuresAsked,
): Promise<MeterPoint[]> {
  const machines = await ctx.db.all<{ id: string }>(sql`
    SELECT runner_id AS id FROM (
      SELECT runner_id, start_ms FROM meter_windows WHERE resource_id = ${id} AND meter = ${meter} AND start_ms >= ${fromMs - WINDOW_MS}
      UNION ALL SELECT runner_id, ${toMs} FROM servers WHERE id = ${id}
      UNION ALL SELECT runner_id, ${toMs} FROM ports WHERE id = ${id}
      UNION ALL SELECT coalesce(p.runner_id, f.holder_id), ${toMs} FROM floating_ips f LEFT JOIN ports p ON p.id = f.port_id WHERE f.id = ${id}
      UNION ALL SELECT id, ${toMs} FROM runners WHERE id = ${id}
    ) WHERE runner_id IS NOT NULL GROUP BY runner_id ORDER BY max(start_ms) DESC LIMIT ${MACHINES_MAX}`);
  const asked = { type: kind, resource: id, meter, fromMs, toMs };
  const answers = await Promise.all(machines.map((machine) => askPoints(ctx, machine.id, asked)));
  if (answers.some((points) => points.length >= MEASURES_MAX))
    throw badRequest(`There are more than ${MEASURES_MAX} measures: ask for less time, by start and stop.`);
  const all = answers.flatMap((points, at) => points.map((one) => ({ ...one, series: one.series + at * SERIES_STEP })));
  return all.sort((a, b) => a.t - b.t);
}
