import { sql } from 'drizzle-orm';
import { assignments } from '../../../db/schema/identity.ts';
import { assertThat, commit } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { forbidden } from '../../http/errors.ts';
import { type Grant, type GrantTarget, grantAction, readGrant, requireParts } from './grant.ts';

/** Grants a user or group a role; granting it again changes nothing. @throws ApiError 403, 404 */
export async function createGrant(ctx: ActorContext, grant: Grant): Promise<void> {
  const { db } = ctx;
  const { to, roleId, target } = grant;
  const action = grantAction('create', grant);
  const facts = await readGrant(ctx, grant, action);
  const { role } = requireParts(grant, facts);
  if (facts.project && role.domainId !== '' && role.domainId !== facts.project.domainId) {
    throw forbidden(`Project ${target.id} must be in the same domain as the role ${roleId} being assigned.`);
  }
  if (facts.exists) return;
  await commit(ctx, {
    audit: { action, targetType: to.type, targetId: to.id, detail: { roleId, target } },
    statements: [
      assertThat(
        db,
        'grantee-exists',
        sql`EXISTS (SELECT 1 FROM ${sql.identifier(`${to.type}s`)} WHERE id = ${to.id})`,
      ),
      assertThat(db, 'target-exists', targetExists(target)),
      db
        .insert(assignments)
        .values({
          actorType: to.type,
          actorId: to.id,
          targetType: target.type,
          targetId: target.id,
          roleId,
          inherited: target.inherited,
        })
        .onConflictDoNothing(),
    ],
  });
}

function targetExists({ type, id }: GrantTarget) {
  if (type === 'system') return sql`1`;
  return type === 'project'
    ? sql`EXISTS (SELECT 1 FROM projects WHERE id = ${id})`
    : sql`EXISTS (SELECT 1 FROM domains WHERE id = ${id})`;
}
