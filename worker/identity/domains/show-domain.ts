import { eq } from 'drizzle-orm';
import { domains } from '../../../db/schema/identity.ts';
import type { ActorContext } from '../../http/context.ts';
import { missing } from '../http/names.ts';
import { authorize } from '../policy.ts';
import type { DomainRow } from './views.ts';

/** @throws ApiError 403, 404 */
export async function showDomain(ctx: ActorContext, id: string): Promise<DomainRow> {
  const [domain] = await ctx.db.select().from(domains).where(eq(domains.id, id));
  authorize(ctx, 'identity:get_domain', domain ? { domainId: id } : {});
  if (!domain) throw missing('domain', id);
  return domain;
}
