import { sql } from 'drizzle-orm';
import { groups } from '../../../db/schema/identity.ts';
import { AssertionFailed, assertThat, ConstraintFailed, commit } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { DEFAULT_DOMAIN, missing } from '../http/names.ts';
import { authorize } from '../policy.ts';
import { nameTaken } from './find-group.ts';
import type { GroupToCreate } from './group-body.ts';
import type { GroupRow } from './views.ts';

/** @throws ApiError 403, 404 (no such domain), 409 (the name is taken) */
export async function createGroup(ctx: ActorContext, input: GroupToCreate): Promise<GroupRow> {
  const { db } = ctx;
  const domainId = input.domainId ?? ctx.actor.domainId ?? DEFAULT_DOMAIN;
  authorize(ctx, 'identity:create_group', { groupDomainId: domainId });
  const id = ctx.ids.hex();
  try {
    const [, rows] = await commit(ctx, {
      audit: {
        action: 'identity:create_group',
        targetType: 'group',
        targetId: id,
        detail: { name: input.name, domainId },
      },
      statements: [
        assertThat(db, 'domain-exists', sql`EXISTS (SELECT 1 FROM domains WHERE id = ${domainId})`),
        db
          .insert(groups)
          .values({ ...input, id, domainId })
          .returning(),
      ],
    });
    return (rows as GroupRow[])[0] as GroupRow;
  } catch (error) {
    if (error instanceof AssertionFailed) throw missing('domain', domainId);
    if (error instanceof ConstraintFailed) throw nameTaken(input.name, domainId);
    throw error;
  }
}
