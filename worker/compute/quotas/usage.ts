import { type SQL, sql } from 'drizzle-orm';
import { assertThat, type Statement } from '../../http/commit.ts';
import type { Context, ProjectContext } from '../../http/context.ts';
import { type ApiError, forbidden } from '../../http/errors.ts';
import { limitNow, limitsOf, limitsRead, type QuotaScope } from './limits-in-force.ts';

/** What servers take of their project's quota. */
export interface ServerShare {
  instances: number;
  cores: number;
  ram: number;
}
const SHARES = ['instances', 'cores', 'ram'] as const;

/** The assertion that a project's quota has room. */
export const QUOTA = 'quota';

const counted = (ctx: Context, { projectId, userId }: QuotaScope): SQL =>
  sql`servers WHERE region = ${ctx.region} AND project_id = ${projectId} AND deleted_at_ms IS NULL
    ${userId === undefined ? sql`` : sql`AND user_id = ${userId}`}`;

/**
 * A server between two flavors takes the larger of each until that is settled: others that begin to grow meanwhile do not
 * count on the same room, and one that is brought back to what it was finds it.
 */
const sumOf = (member: 'vcpus' | 'ramMib'): SQL =>
  sql.raw(`coalesce(sum(max(flavor ->> '${member}', coalesce((
    SELECT max(m.old_flavor ->> '${member}', m.new_flavor ->> '${member}') FROM server_migrations m
    WHERE m.server_id = servers.id AND m.phase NOT IN ('ending', 'ended')), 0))), 0)`);
const CORES = sumOf('vcpus');
const RAM = sumOf('ramMib');

/** What a project's servers, or one user's of them, take; for a batch. */
export const usageRead = (ctx: Context, scope: QuotaScope) =>
  ctx.db.all<ServerShare>(
    sql`SELECT count(*) AS instances, ${CORES} AS cores, ${RAM} AS ram FROM ${counted(ctx, scope)}`,
  );

/** Holds where a share more is within the limits of `l`; nothing is counted where there are none. */
const fits = (ctx: Context, scope: QuotaScope, more: ServerShare): SQL => sql`(
  (l.instances < 0 AND l.cores < 0 AND l.ram < 0) OR (
    SELECT (l.instances < 0 OR count(*) + ${more.instances} <= l.instances)
      AND (l.cores < 0 OR ${more.cores} = 0 OR ${CORES} + ${more.cores} <= l.cores)
      AND (l.ram < 0 OR ${more.ram} = 0 OR ${RAM} + ${more.ram} <= l.ram)
    FROM ${counted(ctx, scope)}))`;

/**
 * Fails the batch (assertion `quota`) where a share more would pass the project's limits, or its user's own. It counts as
 * the batch runs, so racing creates never pass a limit together. It must stand before the rows that it is about.
 */
export function assertQuota(ctx: ProjectContext, more: ServerShare): Statement {
  const { projectId, userId } = ctx.actor;
  const limits = (of: (resource: (typeof SHARES)[number]) => SQL) =>
    sql.join(
      SHARES.map((resource) => sql`${of(resource)} AS ${sql.raw(resource)}`),
      sql`, `,
    );
  const ofProject = limits((resource) => limitNow(ctx, { projectId }, resource));
  const ofUser = limits((resource) => sql`coalesce(limits ->> ${resource}, -1)`);
  return assertThat(
    ctx.db,
    QUOTA,
    sql`EXISTS (SELECT 1 FROM (SELECT ${ofProject}) l WHERE ${fits(ctx, { projectId }, more)})
      AND NOT EXISTS (SELECT 1 FROM (
        SELECT ${ofUser} FROM quotas WHERE region = ${ctx.region} AND project_id = ${projectId} AND user_id = ${userId}
      ) l WHERE NOT ${fits(ctx, { projectId, userId }, more)})`,
  );
}

/** What stood in the way of a share, and how often it would fit. */
export interface Overrun {
  refusal: ApiError;
  /** How many servers of this size there is room for. */
  room: number;
}

/** Reads why a quota refused `count` servers of a size, in Nova's words. */
export async function overrunOf(ctx: ProjectContext, each: ServerShare, count: number): Promise<Overrun> {
  const { projectId, userId } = ctx.actor;
  const [limits, ofProject, ofUser] = await ctx.db.batch([
    limitsRead(ctx, { projectId, userId }),
    usageRead(ctx, { projectId }),
    usageRead(ctx, { projectId, userId }),
  ] as [Statement, ...Statement[]]);
  const [project] = ofProject as ServerShare[];
  const [user] = ofUser as ServerShare[];
  const allowed = { project: limitsOf(limits, 'project'), user: limitsOf(limits) };
  const tight = SHARES.map((resource) => {
    const rooms = [
      { limit: allowed.project[resource], used: project?.[resource] ?? 0 },
      { limit: allowed.user[resource], used: user?.[resource] ?? 0 },
    ].map(({ limit, used }) => ({ limit, used, free: limit < 0 ? Number.POSITIVE_INFINITY : limit - used }));
    const [least = { limit: -1, used: 0, free: Number.POSITIVE_INFINITY }] = rooms.sort((a, b) => a.free - b.free);
    return { resource, ...least, asked: each[resource] * count };
  });
  const over = tight.filter(({ free, asked }) => asked > free);
  const told = over.length > 0 ? over : tight.slice(0, 1);
  const list = (of: (one: (typeof tight)[number]) => unknown) =>
    told
      .toSorted((a, b) => a.resource.localeCompare(b.resource))
      .map(of)
      .join(', ');
  const names = list((one) => one.resource);
  return {
    refusal: forbidden(
      `Quota exceeded for ${names}: Requested ${list((one) => one.asked)}, but already used ${list((one) => one.used)} of ${list((one) => one.limit)} ${names}`,
    ),
    room: Math.max(
      0,
      Math.floor(Math.min(...tight.map(({ resource, free }) => (each[resource] > 0 ? free / each[resource] : count)))),
    ),
  };
}
