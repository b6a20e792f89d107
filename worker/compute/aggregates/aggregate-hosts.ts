import { type SQL, sql } from 'drizzle-orm';
import { assertThat } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { conflict, notFound } from '../../http/errors.ts';
import type { AggregateRow } from './aggregate-rows.ts';
import { changeAggregate } from './aggregates.ts';
import { settleHosts } from './settle-hosts.ts';

const runnerOf = (ctx: ActorContext, host: string): SQL =>
  sql`(SELECT r.id FROM runners r WHERE r.region = ${ctx.region} AND r.name = ${host} AND r.state <> 'removed')`;
const holds = (id: number, runner: SQL) =>
  sql`EXISTS (SELECT 1 FROM aggregate_hosts WHERE aggregate_id = ${id} AND runner_id = ${runner})`;

/**
 * Adds a machine to an aggregate, and so to its zone.
 * @throws ApiError 404 no such aggregate or machine; 409 it is in already, or in another zone
 */
export async function addHost(ctx: ActorContext, id: number, host: string): Promise<AggregateRow> {
  const runner = runnerOf(ctx, host);
  const elsewhere = sql`EXISTS (
    SELECT 1 FROM aggregate_hosts h JOIN aggregates a ON a.id = h.aggregate_id JOIN aggregates own ON own.id = ${id}
    WHERE h.runner_id = ${runner} AND a.metadata ->> 'availability_zone' <> own.metadata ->> 'availability_zone')`;
  return changeAggregate(ctx, id, {
    action: 'os_compute_api:os-aggregates:add_host',
    detail: { host },
    statements: [
      assertThat(ctx.db, 'host', sql`${runner} IS NOT NULL`),
      assertThat(ctx.db, 'new', sql`NOT ${holds(id, runner)}`),
      assertThat(ctx.db, 'alone', sql`NOT ${elsewhere}`),
      ctx.db.run(sql`
        INSERT INTO aggregate_hosts (aggregate_id, runner_id, added_at_ms) VALUES (${id}, ${runner}, ${ctx.clock.nowMs()})`),
      ...settleHosts(ctx, sql`runners.id = ${runner}`),
    ],
    refusals: {
      host: () => notFound(`Compute host ${host} could not be found.`),
      new: () => conflict(`Aggregate ${id} already has host ${host}.`),
      alone: () =>
        conflict(
          `Cannot add host to aggregate ${id}. Reason: One or more hosts already in different availability zones.`,
        ),
    },
  });
}

/** Takes a machine out of an aggregate, and so out of its zone. @throws ApiError 404 no such aggregate, or machine in it */
export async function removeHost(ctx: ActorContext, id: number, host: string): Promise<AggregateRow> {
  const runner = runnerOf(ctx, host);
  return changeAggregate(ctx, id, {
    action: 'os_compute_api:os-aggregates:remove_host',
    detail: { host },
    statements: [
      assertThat(ctx.db, 'host', sql`${runner} IS NOT NULL`),
      assertThat(ctx.db, 'held', holds(id, runner)),
      ctx.db.run(sql`DELETE FROM aggregate_hosts WHERE aggregate_id = ${id} AND runner_id = ${runner}`),
      ...settleHosts(ctx, sql`runners.id = ${runner}`),
    ],
    refusals: {
      host: () => notFound(`Compute host ${host} could not be found.`),
      held: () => notFound(`Aggregate ${id} has no host ${host}.`),
    },
  });
}
