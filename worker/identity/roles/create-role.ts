import { sql } from 'drizzle-orm';
import { roles } from '../../../db/schema/identity.ts';
import { AssertionFailed, assertThat, ConstraintFailed, commit } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { merged } from '../http/attributes.ts';
import { missing } from '../http/names.ts';
import { authorize } from '../policy.ts';
import { nameTaken } from './find-role.ts';
import type { RoleToCreate } from './role-body.ts';
import type { RoleRow } from './views.ts';

/** A global role, or one of a domain. @throws ApiError 403, 404 (no such domain), 409 (the name is taken) */
export async function createRole(ctx: ActorContext, { options, ...input }: RoleToCreate): Promise<RoleRow> {
  const { domainId, name } = input;
  authorize(ctx, domainId === '' ? 'identity:create_role' : 'identity:create_domain_role');
  const id = ctx.ids.hex();
  const insert = ctx.db
    .insert(roles)
    .values({ ...input, id, options: merged({}, options) })
    .returning();
  const domainExists = sql`${domainId} = '' OR EXISTS (SELECT 1 FROM domains WHERE id = ${domainId})`;
  try {
    const [, rows] = await commit(ctx, {
      audit: { action: 'identity:create_role', targetType: 'role', targetId: id, detail: { name, domainId } },
      statements: [assertThat(ctx.db, 'domain-exists', domainExists), insert],
    });
    return (rows as RoleRow[])[0] as RoleRow;
  } catch (error) {
    if (error instanceof AssertionFailed) throw missing('domain', domainId);
    if (error instanceof ConstraintFailed) throw nameTaken(name, domainId);
    throw error;
  }
}
