import { type SQL, sql } from 'drizzle-orm';
import type { ActorContext } from '../../http/context.ts';
import { badRequest, notFound } from '../../http/errors.ts';

export interface AggregateRow {
  id: number;
  uuid: string;
  name: string;
  /** As JSON. */
  metadata: string;
  createdAtMs: number;
  updatedAtMs: number | null;
  /** Names of its machines, as JSON. */
  hosts: string;
}

export const aggregateNotFound = (id: number) => notFound(`Aggregate ${id} could not be found.`);

/** An aggregate's number from a path. @throws ApiError 400 */
export function aggregateId(text: string): number {
  if (!/^-?\d{1,15}$/.test(text)) throw badRequest('Invalid input received: id must be an integer');
  return Number(text);
}

/** The region's aggregate of a number; the table is `a`. */
export const ownAggregate = (ctx: ActorContext, id: number): SQL => sql`a.id = ${id} AND a.region = ${ctx.region}`;

/** Reads aggregates with their machines. */
export const selectAggregates = (ctx: ActorContext, where: SQL) =>
  ctx.db.all<AggregateRow>(sql`
    SELECT a.id, a.uuid, a.name, a.metadata, a.created_at_ms AS createdAtMs, a.updated_at_ms AS updatedAtMs, (
      SELECT json_group_array(r.name ORDER BY h.added_at_ms, r.name) FROM aggregate_hosts h JOIN runners r ON r.id = h.runner_id
      WHERE h.aggregate_id = a.id AND r.state <> 'removed') AS hosts
    FROM aggregates a WHERE ${where} ORDER BY a.id`);
