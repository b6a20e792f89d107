import { and, eq, inArray, sql } from 'drizzle-orm';
import { federatedUsers } from '../../../../db/schema/federation.ts';
import { assignments, groupMembers, users } from '../../../../db/schema/identity.ts';
import type { Statement } from '../../../http/commit.ts';
import type { Context } from '../../../http/context.ts';
import { TOKEN_LIFE_MS } from '../../tokens/token.ts';
import type { FederationRows } from './find-federation.ts';
import type { ProjectPlan } from './plan-projects.ts';
import type { Ground } from './read-ground.ts';

const NAME_CHARS_MAX = 255;
const MINUTE_MS = 60_000;

interface SavedUser {
  id: string;
  domainId: string;
  uniqueId: string;
  name: string;
  email: string | undefined;
}

/** Makes the user, or gives it the name and e-mail that the provider says now. */
export function userStatements(
  { db, clock }: Context,
  by: FederationRows,
  saved: SavedUser,
  { user }: Ground,
): Statement[] {
  const { id, domainId, uniqueId, email } = saved;
  const name = saved.name.slice(0, NAME_CHARS_MAX);
  const shown = email ? { email } : {};
  if (user) {
    // Whoever has a password here keeps the name that goes with it.
    const change = { ...(user.federated && user.name !== name ? { name } : {}), ...shown };
    return Object.keys(change).length > 0 ? [db.update(users).set(change).where(eq(users.id, id))] : [];
  }
  return [
    db.insert(users).values({ id, domainId, name, ...shown, federated: true, createdAtMs: clock.nowMs() }),
    db.insert(federatedUsers).values({ idpId: by.provider.id, protocolId: by.protocol.id, uniqueId, userId: id }),
  ];
}

/** Puts the user in groups for as long as this log-in counts, and takes it out of those that it is no longer in. */
export function groupStatements(
  { db, clock }: Context,
  { provider }: FederationRows,
  { userId, groupIds, left }: { userId: string; groupIds: string[]; left: string[] },
): Statement[] {
  const own = and(eq(groupMembers.userId, userId), eq(groupMembers.idpId, provider.id));
  const expiresAtMs = clock.nowMs() + Math.max(TOKEN_LIFE_MS, (provider.authorizationTtl ?? 0) * MINUTE_MS);
  const joined = groupIds.map((groupId) =>
    db
      .insert(groupMembers)
      .values({ groupId, userId, idpId: provider.id, expiresAtMs })
      // A membership that lasts stays one.
      .onConflictDoUpdate({
        target: [groupMembers.groupId, groupMembers.userId],
        set: { idpId: provider.id, expiresAtMs },
        setWhere: sql`expires_at_ms IS NOT NULL`,
      }),
  );
  return [
    ...(left.length > 0 ? [db.delete(groupMembers).where(and(own, inArray(groupMembers.groupId, left)))] : []),
    ...joined,
  ];
}

/** Makes projects, grants roles on them, and takes roles away. */
export function projectStatements(
  { db, ids }: Context,
  userId: string,
  { make, grant, revoke }: ProjectPlan,
): Statement[] {
  return [
    ...make.map(({ name, domainId }) =>
      db.run(
        sql`INSERT INTO projects (id, domain_id, name) VALUES (${ids.hex()}, ${domainId}, ${name}) ON CONFLICT DO NOTHING`,
      ),
    ),
    ...grant.map(({ name, domainId, roleId }) =>
      db.run(sql`INSERT INTO assignments (actor_type, actor_id, target_type, target_id, role_id, inherited)
        SELECT 'user', ${userId}, 'project', id, ${roleId}, 0 FROM projects WHERE domain_id = ${domainId} AND name = ${name}
        ON CONFLICT DO NOTHING`),
    ),
    ...revoke.map(({ projectId, roleId }) =>
      db
        .delete(assignments)
        .where(
          and(
            eq(assignments.actorType, 'user'),
            eq(assignments.actorId, userId),
            eq(assignments.targetType, 'project'),
            eq(assignments.targetId, projectId),
            eq(assignments.roleId, roleId),
            eq(assignments.inherited, false),
          ),
        ),
    ),
  ];
}
