import { type SQL, sql } from 'drizzle-orm';
import { type AssertionFailed, assertThat, type Statement } from '../http/commit.ts';
import type { ActorContext, Context } from '../http/context.ts';
import { type ApiError, tooLarge } from '../http/errors.ts';
import { PROJECT_LIMITS } from './limits.ts';

export type Limit = keyof typeof PROJECT_LIMITS;
export type SizeLimit = 'image_size_total' | 'image_stage_total';

const MIB = 1024 ** 2;
const NAMES = Object.keys(PROJECT_LIMITS) as Limit[];

/** What counts against each limit; sizes in bytes. */
const COUNTED: Record<Limit, { what: string; of: string }> = {
  image_size_total: { what: 'coalesce(sum(images.size_bytes), 0)', of: "('active', 'deactivated')" },
  image_stage_total: { what: 'coalesce(sum(images.size_bytes), 0)', of: "('uploading')" },
  image_count_total: {
    what: 'count(*)',
    of: "('queued', 'saving', 'uploading', 'importing', 'active', 'killed', 'deactivated')",
  },
  image_count_uploading: { what: 'count(*)', of: "('saving', 'uploading', 'importing')" },
};

const isSize = (limit: Limit): limit is SizeLimit => limit !== 'image_count_total' && limit !== 'image_count_uploading';
const maximum = (limit: Limit) => PROJECT_LIMITS[limit] * (isSize(limit) ? MIB : 1);

function used(ctx: Context, projectId: string, limit: Limit): SQL {
  const { what, of } = COUNTED[limit];
  return sql`(SELECT ${sql.raw(what)} FROM images WHERE images.project_id = ${projectId} AND images.region = ${ctx.region}
    AND images.status IN ${sql.raw(of)})`;
}

/** A statement that fails its batch when the project would have more than it may. @param more - images, or bytes */
export function withinLimit(ctx: Context, projectId: string, limit: Limit, more: number): Statement {
  return assertThat(ctx.db, limit, sql`${used(ctx, projectId, limit)} + ${more} <= ${maximum(limit)}`);
}

/** The read of how many `bytes` the project may still have. */
export function roomRead(ctx: Context, projectId: string, limit: SizeLimit): Statement {
  return ctx.db.all<{ bytes: number }>(sql`SELECT ${maximum(limit)} - ${used(ctx, projectId, limit)} AS bytes`);
}

/** The refusal that a failed `withinLimit` means; any other error as it is. */
export function typedLimit(error: AssertionFailed, projectId: string): ApiError | AssertionFailed {
  const limit = NAMES.find((name) => name === error.assertion);
  if (!limit) return error;
  return tooLarge(
    `Project ${projectId} is over a limit for [Resource ${limit} is over limit of ${PROJECT_LIMITS[limit]}]`,
  );
}

/** What the actor's project has and may have, by Glance's names: images, or whole MiB. */
export async function showUsage(ctx: ActorContext): Promise<Record<Limit, { usage: number; limit: number }>> {
  const projectId = ctx.actor.projectId ?? '';
  const counts = NAMES.map((name) => sql`${used(ctx, projectId, name)} AS ${sql.identifier(name)}`);
  const [row] = await ctx.db.all<Record<Limit, number>>(sql`SELECT ${sql.join(counts, sql`, `)}`);
  const entries = NAMES.map((name) => {
    const usage = Math.floor((row?.[name] ?? 0) / (isSize(name) ? MIB : 1));
    return [name, { usage, limit: PROJECT_LIMITS[name] }] as const;
  });
  return Object.fromEntries(entries) as Record<Limit, { usage: number; limit: number }>;
}
