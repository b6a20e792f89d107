import { eq } from 'drizzle-orm';
import { domains } from '../../../db/schema/identity.ts';
import { ConstraintFailed } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { merged } from '../http/attributes.ts';
import { missing, requireMutable, taken } from '../http/names.ts';
import { authorize } from '../policy.ts';
import { commitRevoking } from '../tokens/revoke.ts';
import type { DomainToUpdate } from './domain-body.ts';
import type { DomainRow } from './views.ts';

/** Disabling a domain ends the tokens of its users and those for its projects. @throws ApiError 403, 404, 409 */
export async function updateDomain(
  ctx: ActorContext,
  { id, change }: { id: string; change: DomainToUpdate },
): Promise<DomainRow> {
  authorize(ctx, 'identity:update_domain');
  const [domain] = await ctx.db.select().from(domains).where(eq(domains.id, id));
  if (!domain) throw missing('domain', id);
  requireMutable('domain', domain, change);
  const options = merged(domain.options, change.options);
  const extra = merged(domain.extra, change.extra);
  const update = ctx.db
    .update(domains)
    .set({ ...change, options, extra })
    .where(eq(domains.id, id))
    .returning();
  const disabled = domain.enabled && change.enabled === false;
  const [rows] = await commitRevoking(
    ctx,
    {
      audit: {
        action: 'identity:update_domain',
        targetType: 'domain',
        targetId: id,
        detail: { changed: Object.keys(change) },
      },
      statements: [update],
    },
    disabled ? [{ kind: 'domain', subject: id }] : [],
  ).catch((error: unknown) => {
    if (!(error instanceof ConstraintFailed)) throw error;
    throw taken(
      'project',
      `it is not permitted to have two projects acting as domains with the same name: ${change.name}`,
    );
  });
  const updated = (rows as DomainRow[])[0];
  if (!updated) throw missing('domain', id);
  return updated;
}
