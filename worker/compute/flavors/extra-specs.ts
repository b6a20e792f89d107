import { and, eq, sql } from 'drizzle-orm';
import { flavors } from '../../../db/schema/compute.ts';
import { assertThat } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { badRequest, notFound } from '../../http/errors.ts';
import { authorize } from '../../http/policy.ts';
import { commitOr } from '../http/commit-or.ts';
import type { Microversion } from '../http/microversion.ts';
import { policy } from '../policy.ts';
import { checkExtraSpec } from './check-extra-spec.ts';
import { assertFlavor, findFlavor, flavorNotFound } from './find-flavor.ts';

/** Digits of a numeric extra spec that are kept. */
const VALUE_CHARS_MAX = 255;

/** From this version on what is written is checked for a meaning. */
const VALIDATED_SINCE: Microversion = 86;

const noSuchKey = (id: string, key: string) => notFound(`Flavor ${id} has no extra specs with key ${key}.`);

/** All extra specs of a flavor. @throws ApiError 404 */
export async function listExtraSpecs(ctx: ActorContext, id: string): Promise<Record<string, string>> {
  authorize(ctx, policy, 'os_compute_api:os-flavor-extra-specs:index');
  return (await findFlavor(ctx, id)).extraSpecs;
}

/** One extra spec of a flavor. @throws ApiError 404 the flavor or the key */
export async function showExtraSpec(ctx: ActorContext, id: string, key: string): Promise<string> {
  authorize(ctx, policy, 'os_compute_api:os-flavor-extra-specs:show');
  const value = (await findFlavor(ctx, id)).extraSpecs[key];
  if (value === undefined) throw noSuchKey(id, key);
  return value;
}

/** Adds and replaces extra specs; those not named stay. @throws ApiError 400 a number too long, or from 2.86 what means nothing; 404 */
export async function setExtraSpecs(
  ctx: ActorContext,
  id: string,
  specs: Record<string, string | number>,
  of: { verb: 'create' | 'update'; version: Microversion },
): Promise<void> {
  const action = `os_compute_api:os-flavor-extra-specs:${of.verb}` as const;
  authorize(ctx, policy, action);
  const texts = Object.fromEntries(Object.entries(specs).map(([key, value]) => [key, String(value)]));
  if (Object.values(texts).some((value) => value.length > VALUE_CHARS_MAX)) {
    throw badRequest(`Invalid input received: extra_specs value has more than ${VALUE_CHARS_MAX} characters.`);
  }
  if (of.version >= VALIDATED_SINCE) for (const [key, value] of Object.entries(texts)) checkExtraSpec(key, value);
  const update = ctx.db
    .update(flavors)
    .set({ extraSpecs: sql`json_patch(extra_specs, ${JSON.stringify(texts)})` })
    .where(and(eq(flavors.region, ctx.region), eq(flavors.id, id)));
  const change = {
    audit: { action, targetType: 'flavor', targetId: id, detail: texts },
    statements: [assertFlavor(ctx, id), update],
  };
  await commitOr(ctx, change, { flavor: () => flavorNotFound(id) });
}

/** Removes one extra spec. @throws ApiError 404 the flavor or the key */
export async function deleteExtraSpec(ctx: ActorContext, id: string, key: string): Promise<void> {
  const action = 'os_compute_api:os-flavor-extra-specs:delete';
  authorize(ctx, policy, action);
  const held = sql`EXISTS (SELECT 1 FROM flavors f, json_each(f.extra_specs) spec WHERE f.region = ${ctx.region} AND f.id = ${id} AND spec.key = ${key})`;
  const update = ctx.db
    .update(flavors)
    .set({ extraSpecs: sql`json_patch(extra_specs, json_object(${key}, NULL))` })
    .where(and(eq(flavors.region, ctx.region), eq(flavors.id, id)));
  const change = {
    audit: { action, targetType: 'flavor', targetId: id, detail: { key } },
    statements: [assertFlavor(ctx, id), assertThat(ctx.db, 'key', held), update],
  };
  await commitOr(ctx, change, { flavor: () => flavorNotFound(id), key: () => noSuchKey(id, key) });
}
