import { sql } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import { imageMembers, images } from '../../db/schema/image.ts';
import { actorContextOf } from '../../test/edge-context.ts';
import type { ActorContext } from '../http/context.ts';
import { listImages, pageCondition } from './list-images.ts';
import { orderOf, sortTerms } from './list-sorting.ts';

const IMAGES = 10_000;

/** A project with 10,000 images, among as many of others, in a region of its own. */
async function manyImages(): Promise<ActorContext> {
  const ctx = { ...actorContextOf(crypto.randomUUID()), region: `region-${crypto.randomUUID()}` };
  await ctx.db.run(sql`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${2 * IMAGES})
    INSERT INTO images (id, region, project_id, name, status, visibility, created_at_ms, updated_at_ms)
    SELECT ${ctx.region} || '-' || i, ${ctx.region}, iif(i % 2, ${ctx.actor.projectId}, 'other'), 'image ' || i,
      'active', 'shared', i, i FROM n`);
  return ctx;
}

/** How the database reads a page: a line a step. */
async function planOf(ctx: ActorContext, query: URLSearchParams): Promise<string> {
  const [terms, marker] = [sortTerms(query), query.get('marker') ?? undefined];
  const where = pageCondition(ctx, query, { terms, limit: 25, marker });
  const steps = await ctx.db.all<{ detail: string }>(
    sql`EXPLAIN QUERY PLAN SELECT * FROM images WHERE ${where} ORDER BY ${orderOf(terms)} LIMIT 25`,
  );
  return steps.map(({ detail }) => detail).join('\n');
}

describe('of 10,000 images', () => {
  it('every page costs the same: each kind is read by its index, in the order of the list, from the marker on', async () => {
    const ctx = await manyImages();
    const marker = `${ctx.region}-101`;
    const last = await listImages(ctx, new URLSearchParams({ limit: '100', marker }));
    expect(last.rows).toHaveLength(50);
    expect(last.rows.every((row) => row.projectId === ctx.actor.projectId)).toBe(true);
    const plan = await planOf(ctx, new URLSearchParams({ marker }));
    expect(plan).toMatch(/images_own \(project_id=\? AND region=\? AND created_at_ms<\?\)/);
    expect(plan.match(/images_open \(region=\? AND visibility=\? AND created_at_ms<\?\)/g)).toHaveLength(2);
    expect(plan).toMatch(/image_members USING .*member_id=\?/);
    expect(plan).not.toMatch(/SCAN images/);
    const admin = { ...ctx, actor: { ...ctx.actor, roles: ['admin'] } };
    expect(await planOf(admin, new URLSearchParams({ marker }))).toMatch(
      /images_list \(region=\? AND created_at_ms<\?\)/,
    );
    await ctx.db.delete(images).where(sql`images.region = ${ctx.region}`);
  });

  it('a project sees its own, public and offered ones, each once, in one order', async () => {
    const ctx = { ...actorContextOf(crypto.randomUUID()), region: `region-${crypto.randomUUID()}` };
    const own = ctx.actor.projectId ?? '';
    const kinds = [
      [own, 'private'],
      ['other', 'public'],
      [own, 'public'],
      ['other', 'private'],
      ['other', 'shared'],
      ['other', 'community'],
      [own, 'shared'],
    ] as const;
    for (const [at, [projectId, visibility]] of kinds.entries()) {
      const row = { id: `${ctx.region}-${at}`, region: ctx.region, projectId, visibility, status: 'active' as const };
      await ctx.db.insert(images).values({ ...row, createdAtMs: at, updatedAtMs: at });
    }
    const member = { memberId: own, status: 'accepted' as const, createdAtMs: 1, updatedAtMs: 1 };
    await ctx.db.insert(imageMembers).values({ imageId: `${ctx.region}-4`, ...member });
    const seen: string[] = [];
    for (let marker: string | undefined; ; ) {
      const page = await listImages(ctx, new URLSearchParams({ limit: '2', ...(marker ? { marker } : {}) }));
      seen.push(...page.rows.map((row) => row.id.slice(ctx.region.length + 1)));
      marker = page.nextMarker;
      if (!marker) break;
    }
    expect(seen).toEqual(['6', '4', '2', '1', '0']);
  });
});
