import { domains } from '../../../db/schema/identity.ts';
import { ConstraintFailed, commit } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { merged } from '../http/attributes.ts';
import { taken } from '../http/names.ts';
import { authorize } from '../policy.ts';
import type { DomainToCreate } from './domain-body.ts';
import type { DomainRow } from './views.ts';

/** @throws ApiError 403, 409 (a domain of that name or id exists) */
export async function createDomain(ctx: ActorContext, input: DomainToCreate): Promise<DomainRow> {
  authorize(ctx, 'identity:create_domain');
  const { explicitId, options, ...attributes } = input;
  const id = explicitId ?? ctx.ids.hex();
  const insert = ctx.db
    .insert(domains)
    .values({ ...attributes, id, options: merged({}, options) })
    .returning();
  try {
    const [rows] = await commit(ctx, {
      audit: { action: 'identity:create_domain', targetType: 'domain', targetId: id, detail: { name: input.name } },
      statements: [insert],
    });
    return (rows as DomainRow[])[0] as DomainRow;
  } catch (error) {
    if (!(error instanceof ConstraintFailed)) throw error;
    throw taken(
      'project',
      error.constraint.includes('.name')
        ? `it is not permitted to have two projects acting as domains with the same name: ${input.name}`
        : `Duplicate ID, ${id}`,
    );
  }
}
