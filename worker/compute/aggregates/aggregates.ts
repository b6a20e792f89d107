import { type SQL, sql } from 'drizzle-orm';
import { aggregates } from '../../../db/schema/aggregates.ts';
import { assertThat, ConstraintFailed, commit, type Statement } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { badRequest, conflict } from '../../http/errors.ts';
import { authorize } from '../../http/policy.ts';
import { commitOr, type Refusals } from '../http/commit-or.ts';
import { type ComputeAction, policy } from '../policy.ts';
import { type AggregateRow, aggregateNotFound, ownAggregate, selectAggregates } from './aggregate-rows.ts';
import { hostsIn, settleHosts } from './settle-hosts.ts';

type Metadata = Record<string, string | null>;

/** The region's aggregates. */
export async function listAggregates(ctx: ActorContext): Promise<AggregateRow[]> {
  authorize(ctx, policy, 'os_compute_api:os-aggregates:index');
  return selectAggregates(ctx, sql`a.region = ${ctx.region}`);
}

/** One aggregate. @throws ApiError 404 */
export async function showAggregate(ctx: ActorContext, id: number): Promise<AggregateRow> {
  authorize(ctx, policy, 'os_compute_api:os-aggregates:show');
  const [row] = await selectAggregates(ctx, ownAggregate(ctx, id));
  if (!row) throw aggregateNotFound(id);
  return row;
}

const nameTaken = (name: string) => conflict(`Aggregate ${name} already exists.`);

/** Makes an aggregate, which with a zone's name is that zone. @throws ApiError 409 the name is taken */
export async function createAggregate(
  ctx: ActorContext,
  input: { name: string; zone: string | null },
): Promise<AggregateRow> {
  const action = 'os_compute_api:os-aggregates:create';
  authorize(ctx, policy, action);
  const uuid = ctx.ids.uuid();
  const { name, zone } = input;
  try {
    const [, rows] = await commit(ctx, {
      audit: { action, targetType: 'aggregate', targetId: uuid, detail: { name, zone } },
      statements: [
        ctx.db.insert(aggregates).values({
          uuid,
          region: ctx.region,
          name,
          metadata: zone === null ? {} : { availability_zone: zone },
          createdAtMs: ctx.clock.nowMs(),
        }),
        selectAggregates(ctx, sql`a.uuid = ${uuid} AND a.region = ${ctx.region}`),
      ],
    });
    return (rows as AggregateRow[])[0] as AggregateRow;
  } catch (error) {
    throw error instanceof ConstraintFailed ? nameTaken(name) : error;
  }
}

/** Renames an aggregate, or makes it another zone. @throws ApiError 400 servers are in the zone, 404, 409 */
export async function updateAggregate(
  ctx: ActorContext,
  id: number,
  input: { name?: string | undefined; zone?: string | null | undefined },
): Promise<AggregateRow> {
  const { name, zone } = input;
  const sets = [
    ...(name === undefined ? [] : [sql`name = ${name}`]),
    ...(zone === undefined ? [] : [patched({ availability_zone: zone })]),
  ];
  try {
    return await change(ctx, id, { action: 'os_compute_api:os-aggregates:update', sets, detail: input, zone });
  } catch (error) {
    throw error instanceof ConstraintFailed ? nameTaken(name ?? '') : error;
  }
}

/** Adds, replaces and (null) removes metadata. @throws ApiError 400 servers are in the zone, 404 */
export async function setAggregateMetadata(ctx: ActorContext, id: number, metadata: Metadata): Promise<AggregateRow> {
  const action = 'os_compute_api:os-aggregates:set_metadata';
  const { availability_zone: zone } = metadata;
  return change(ctx, id, { action, sets: [patched(metadata)], detail: metadata, zone });
}

const patched = (metadata: Metadata) => sql`metadata = json_patch(metadata, ${JSON.stringify(metadata)})`;

/** Its machines' servers would find themselves in another zone. */
const inUse = (id: number, zone: string | null): SQL => sql`EXISTS (
  SELECT 1 FROM aggregates a JOIN aggregate_hosts h ON h.aggregate_id = a.id JOIN servers s ON s.runner_id = h.runner_id
  WHERE a.id = ${id} AND a.metadata ->> 'availability_zone' IS NOT ${zone} AND s.deleted_at_ms IS NULL)`;
/** One of its machines is in another zone by another aggregate. */
const elsewhere = (id: number, zone: string): SQL => sql`EXISTS (
  SELECT 1 FROM aggregate_hosts own JOIN aggregate_hosts h ON h.runner_id = own.runner_id JOIN aggregates a ON a.id = h.aggregate_id
  WHERE own.aggregate_id = ${id} AND h.aggregate_id <> ${id} AND a.metadata ->> 'availability_zone' <> ${zone})`;

async function change(
  ctx: ActorContext,
  id: number,
  of: { action: ComputeAction; sets: SQL[]; detail: Record<string, unknown>; zone: string | null | undefined },
): Promise<AggregateRow> {
  const { zone } = of;
  const refused = (reason: string) => badRequest(`Cannot update aggregate ${id}. Reason: ${reason}.`);
  const guards = [
    ...(zone === undefined ? [] : [assertThat(ctx.db, 'unused', sql`NOT ${inUse(id, zone)}`)]),
    ...(zone ? [assertThat(ctx.db, 'alone', sql`NOT ${elsewhere(id, zone)}`)] : []),
  ];
  const now = sql`updated_at_ms = ${ctx.clock.nowMs()}`;
  return changeAggregate(ctx, id, {
    action: of.action,
    detail: of.detail,
    statements: [
      ...guards,
      ctx.db.run(sql`UPDATE aggregates SET ${sql.join([...of.sets, now], sql`, `)} WHERE id = ${id}`),
      ...settleHosts(ctx, hostsIn(id)),
    ],
    refusals: {
      unused: () => refused('One or more hosts contain instances in this zone'),
      alone: () => refused('One or more hosts already in different availability zones'),
    },
  });
}

/** Writes what changes an aggregate. @returns it as it then is @throws ApiError 404 */
export async function changeAggregate(
  ctx: ActorContext,
  id: number,
  of: { action: ComputeAction; detail: Record<string, unknown>; statements: Statement[]; refusals: Refusals },
): Promise<AggregateRow> {
  authorize(ctx, policy, of.action);
  const there = sql`EXISTS (SELECT 1 FROM aggregates a WHERE ${ownAggregate(ctx, id)})`;
  const results = await commitOr(
    ctx,
    {
      audit: { action: of.action, targetType: 'aggregate', targetId: String(id), detail: of.detail },
      statements: [
        assertThat(ctx.db, 'aggregate', there),
        ...of.statements,
        selectAggregates(ctx, ownAggregate(ctx, id)),
      ],
    },
    { aggregate: () => aggregateNotFound(id), ...of.refusals },
  );
  const [row] = results.at(-1) as AggregateRow[];
  if (!row) throw aggregateNotFound(id);
  return row;
}

/** Forgets an aggregate without machines. @throws ApiError 400 it has some, 404 */
export async function deleteAggregate(ctx: ActorContext, id: number): Promise<void> {
  const action = 'os_compute_api:os-aggregates:delete';
  authorize(ctx, policy, action);
  const change = {
    audit: { action, targetType: 'aggregate', targetId: String(id) },
    statements: [
      assertThat(ctx.db, 'aggregate', sql`EXISTS (SELECT 1 FROM aggregates a WHERE ${ownAggregate(ctx, id)})`),
      assertThat(ctx.db, 'empty', sql`NOT EXISTS (SELECT 1 FROM aggregate_hosts WHERE aggregate_id = ${id})`),
      ctx.db.run(sql`DELETE FROM aggregates WHERE id = ${id}`),
    ],
  };
  await commitOr(ctx, change, {
    aggregate: () => aggregateNotFound(id),
    empty: () => badRequest(`Cannot delete aggregate ${id}: Host aggregate is not empty.`),
  });
}
