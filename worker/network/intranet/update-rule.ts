import { eq, sql } from 'drizzle-orm';
import { intranetRules } from '../../../db/schema/intranet.ts';
import { commit } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { badRequest } from '../../http/errors.ts';
import { authorize } from '../../http/policy.ts';
import { expiryMs, type RulePatch } from './attributes.ts';
import { policy } from './policy.ts';
import { showRule } from './rules.ts';
import type { RuleRow } from './views.ts';
import { hostsOf, putExceptions } from './wishes.ts';

/**
 * Changes what is said of a rule, and when it ends; one that has ended holds again with an end to come.
 * @throws ApiError 400 an end that is past, 404
 */
export async function updateRule(ctx: ActorContext, id: string, patch: RulePatch): Promise<RuleRow> {
  authorize(ctx, policy, 'intranet:rules:update');
  const row = await showRule(ctx, id);
  const { description = row.description, reason = row.reason } = patch;
  const expiry =
    patch.expires_at === undefined ? { atMs: row.expiresAtMs } : expiryMs(patch.expires_at, ctx.clock.nowMs());
  if ('problem' in expiry) throw badRequest(expiry.problem);
  const change = {
    description,
    reason,
    updatedAtMs: ctx.clock.nowMs(),
    ...(patch.expires_at === undefined ? {} : { expiresAtMs: expiry.atMs, endedAtMs: null }),
  };
  const hosts = hostsOf(ctx.region);
  await commit(ctx, {
    audit: { action: 'intranet:rules:update', targetType: 'intranet-rule', targetId: id, detail: { ...patch } },
    ...(patch.expires_at === undefined ? {} : { touches: hosts }),
    statements: [
      ctx.db.update(intranetRules).set(change).where(eq(intranetRules.id, id)),
      ...(patch.expires_at === undefined ? [] : [putExceptions(ctx, sql`rule.id = ${id} AND ${hosts}`)]),
    ],
  });
  return { ...row, ...change };
}
