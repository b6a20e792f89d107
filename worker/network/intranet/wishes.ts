import { type SQL, sql } from 'drizzle-orm';
import { dropDesired } from '../../fleet/desired.ts';
import type { Statement } from '../../http/commit.ts';
import type { Context } from '../../http/context.ts';

/*
 * Statements that bring what hosts hold of the filter in line with our rows. They belong into a batch after the rows are
 * written, and whose `touches` covers the runners of the region: every host holds all of it.
 */

/** The hosts that hold the filter. */
export const hostsOf = (region: string): SQL => sql`runners.region = ${region} AND runners.state <> 'removed'`;

/** The region's filter as an `intranet` spec. One that is off has no prefixes. */
const filterSpecSql = (region: string) => sql`json_object(
  'dry_run', json(CASE WHEN EXISTS (SELECT 1 FROM intranet_filters f WHERE f.region = ${region} AND f.dry_run) THEN 'true' ELSE 'false' END),
  'prefixes', (SELECT json_group_array(p.prefix ORDER BY p.prefix) FROM intranet_prefixes p WHERE p.region = ${region}
    AND NOT EXISTS (SELECT 1 FROM intranet_filters f WHERE f.region = ${region} AND NOT f.enabled)))`;

const exceptionSpecSql = sql`json_object(
  'id', rule.id, 'source', json_object('type', rule.source_type, 'id', rule.source_id), 'destination', rule.destination,
  'protocol', rule.protocol, 'port_range_min', rule.port_range_min, 'port_range_max', rule.port_range_max,
  'expires_at_ms', rule.expires_at_ms)`;

const upsert = (source: SQL) => sql`
  INSERT INTO desired (runner_id, kind, id, generation, spec, deleted) ${source}
  ON CONFLICT (runner_id, kind, id) DO UPDATE SET generation = excluded.generation, spec = excluded.spec, deleted = 0
  WHERE desired.deleted = 1 OR desired.spec IS NOT excluded.spec`;

/** Wants the filter on hosts. @param where - a condition on `runners` */
export const putFilter = (ctx: Context, where: SQL): Statement =>
  ctx.db.run(
    upsert(sql`SELECT runners.id, 'intranet', 'filter', runners.generation, ${filterSpecSql(ctx.region)}, 0
      FROM runners WHERE ${where}`),
  );

/** Wants exceptions on hosts, but for those that have ended. @param where - a condition on `runners` and `rule` */
export const putExceptions = (ctx: Context, where: SQL): Statement =>
  ctx.db.run(
    upsert(sql`SELECT runners.id, 'intranet-exception', rule.id, runners.generation, ${exceptionSpecSql}, 0
      FROM intranet_rules rule, runners
      WHERE rule.region = ${ctx.region} AND (rule.expires_at_ms IS NULL OR rule.expires_at_ms > ${ctx.clock.nowMs()}) AND ${where}`),
  );

/** Takes an exception from every host. */
export const dropException = (ctx: Context, id: string): Statement =>
  dropDesired(ctx.db, 'intranet-exception', sql`desired.id = ${id}`);

/** What a host that joins is to hold, so that it serves no guest without it. Its row is written earlier in the batch. */
export function intranetOfNewHost(ctx: Context, runnerId: string): Statement[] {
  const isNew = sql`runners.id = ${runnerId}`;
  const declared = sql`EXISTS (SELECT 1 FROM intranet_prefixes p WHERE p.region = ${ctx.region})`;
  return [
    ctx.db.run(sql`UPDATE runners SET generation = generation + 1 WHERE ${isNew} AND ${declared}`),
    putFilter(ctx, sql`${isNew} AND ${declared}`),
    putExceptions(ctx, sql`${isNew} AND ${declared}`),
  ];
}
