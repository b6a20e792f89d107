import { type SQL, sql } from 'drizzle-orm';
import { assertThat, type Statement } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { type ApiError, badRequest, notFound } from '../../http/errors.ts';
import { authorize } from '../../http/policy.ts';
import { TAG_CHARS_MAX, TAGS_MAX, tag } from '../http/parameters.ts';
import { type ComputeAction, policy } from '../policy.ts';
import { ownServer, serverNotFound } from './find-server.ts';
import { commitTransition } from './transition.ts';

const noSuchTag = (id: string, name: string) => notFound(`Server ${id} has no tag '${name}'`);

/** A server's tags. @throws ApiError 404 */
export async function listTags(ctx: ActorContext, id: string): Promise<string[]> {
  authorize(ctx, policy, 'os_compute_api:os-server-tags:index');
  return readTags(ctx, id);
}

/** Passes where a server has a tag. @throws ApiError 404 the server or the tag */
export async function checkTag(ctx: ActorContext, id: string, name: string): Promise<void> {
  authorize(ctx, policy, 'os_compute_api:os-server-tags:show');
  if (!(await readTags(ctx, id)).includes(name)) throw noSuchTag(id, name);
}

async function readTags(ctx: ActorContext, id: string): Promise<string[]> {
  const [row] = await ctx.db.all<{ tags: string }>(sql`SELECT tags FROM servers s WHERE ${ownServer(ctx, id)}`);
  if (!row) throw serverNotFound(id);
  return JSON.parse(row.tags) as string[];
}

const holding = (id: string, name: string) =>
  sql`EXISTS (SELECT 1 FROM servers s, json_each(s.tags) t WHERE s.id = ${id} AND t.value = ${name})`;

/**
 * Adds a tag.
 * @returns whether it is new
 * @throws ApiError 400 not a tag, or one too many; 404; 409 a server that is being built or in ERROR
 */
export async function addTag(ctx: ActorContext, id: string, name: string): Promise<boolean> {
  if (!tag.safeParse(name).success) {
    throw badRequest(
      `Tag '${name}' is invalid. It must be a non empty string of at most ${TAG_CHARS_MAX} characters without '/' and ','.`,
    );
  }
  const [before] = await write(ctx, id, {
    verb: 'update tag',
    policyAction: 'os_compute_api:os-server-tags:update',
    first: [
      ctx.db.all<{ held: number }>(sql`SELECT ${holding(id, name)} AS held`),
      assertThat(
        ctx.db,
        'count',
        sql`${holding(id, name)} OR (SELECT count(*) FROM servers s, json_each(s.tags) WHERE s.id = ${id}) < ${TAGS_MAX}`,
      ),
    ],
    value: sql`CASE WHEN ${holding(id, name)} THEN tags ELSE json_insert(tags, '$[#]', ${name}) END`,
    refusals: { count: () => badRequest(`The number of tags exceeded the per-server limit ${TAGS_MAX}`) },
  });
  return (before as { held: number }[])[0]?.held === 0;
}

/** Puts these tags in the place of all. @throws ApiError 404, 409 */
export async function replaceTags(ctx: ActorContext, id: string, names: string[]): Promise<string[]> {
  const tags = [...new Set(names)];
  const value = sql`json(${JSON.stringify(tags)})`;
  await write(ctx, id, { verb: 'update tags', policyAction: 'os_compute_api:os-server-tags:update_all', value });
  return tags;
}

/** Takes one tag away. @throws ApiError 404 the server or the tag, 409 */
export async function deleteTag(ctx: ActorContext, id: string, name: string): Promise<void> {
  await write(ctx, id, {
    verb: 'delete tag',
    policyAction: 'os_compute_api:os-server-tags:delete',
    first: [assertThat(ctx.db, 'held', holding(id, name))],
    value: sql`(SELECT json_group_array(t.value) FROM json_each(tags) t WHERE t.value <> ${name})`,
    refusals: { held: () => notFound(`Instance ${id} has no tag '${name}'`) },
  });
}

/** Takes all tags away. @throws ApiError 404, 409 */
export async function deleteTags(ctx: ActorContext, id: string): Promise<void> {
  const policyAction = 'os_compute_api:os-server-tags:delete_all';
  await write(ctx, id, { verb: 'delete tags', policyAction, value: sql`'[]'` });
}

function write(
  ctx: ActorContext,
  id: string,
  of: {
    verb: string;
    policyAction: ComputeAction;
    value: SQL;
    first?: Statement[];
    refusals?: Record<string, () => ApiError>;
  },
): Promise<unknown[]> {
  return commitTransition(ctx, {
    id,
    verb: of.verb,
    policyAction: of.policyAction,
    allowed: { vmStates: ['active', 'stopped'], taskStates: 'any', launched: false },
    statements: [...(of.first ?? []), ctx.db.run(sql`UPDATE servers SET tags = ${of.value} WHERE id = ${id}`)],
    refusals: of.refusals ?? {},
  });
}
