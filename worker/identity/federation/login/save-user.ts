import { and, eq, inArray, sql } from 'drizzle-orm';
import { federatedUsers } from '../../../../db/schema/federation.ts';
import { assignments, groupMembers, users } from '../../../../db/schema/identity.ts';
import { ConstraintFailed, type Statement } from '../../../http/commit.ts';
import type { Context } from '../../../http/context.ts';
import { missing } from '../../http/names.ts';
import { assignmentSubject, type Revocation } from '../../tokens/revocation.ts';
import { commitRevoking } from '../../tokens/revoke.ts';
import { TOKEN_LIFE_MS } from '../../tokens/token.ts';
import { type Mapped, NotMapped } from '../mapping/evaluate.ts';
import { taken } from '../names.ts';
import type { FederationRows } from './find-federation.ts';
import { type ProjectPlan, planProjects } from './plan-projects.ts';
import { type Ground, readGround } from './read-ground.ts';
import { federatedUserId, quoted } from './unique-id.ts';

/** Groups that one log-in may put a user in: they travel in the token. */
export const GROUPS_MAX = 64;
const NAME_CHARS_MAX = 255;
const MINUTE_MS = 60_000;

/**
 * Makes here whom a mapping speaks of, or brings up to date who is known already: name, e-mail, groups, projects.
 * @returns the user's id, and the groups that this log-in puts the user in
 * @throws NotMapped, ApiError 403, 404, 409
 */
export async function saveUser(
  ctx: Context,
  by: FederationRows,
  { mapped, remoteUser }: { mapped: Mapped; remoteUser: string | undefined },
): Promise<{ userId: string; groupIds: string[] }> {
  const name = mapped.user.name || remoteUser || mapped.user.id;
  if (!name) throw new NotMapped('the mapping gives the user neither id nor name, and there is no REMOTE_USER');
  const uniqueId = quoted(mapped.user.id || name);
  if (uniqueId.length > NAME_CHARS_MAX) throw new NotMapped(`a user's id is longer than ${NAME_CHARS_MAX} characters`);
  const ground = await readGround(ctx.db, by, { mapped, uniqueId });
  const domain = ground.userDomain;
  if (!domain) throw missing('domain', mapped.user.domain?.id ?? mapped.user.domain?.name ?? '');
  const groupIds = groupIdsOf(by, mapped, ground);
  const projects = planProjects(by, mapped, ground, domain.id);
  const userId = ground.user?.id ?? federatedUserId(domain.id, uniqueId);
  const left = ground.memberships.map(({ groupId }) => groupId).filter((id) => !groupIds.includes(id));
  const revoked: Revocation[] = [
    ...(left.length > 0 ? [{ kind: 'user' as const, subject: userId }] : []),
    ...[...new Set(projects.revoke.map(({ projectId }) => projectId))].map((projectId) => ({
      kind: 'assignment' as const,
      subject: assignmentSubject(userId, 'project', projectId),
    })),
  ];
  await commitRevoking(
    ctx,
    {
      audit: {
        action: 'identity:authenticate_federated',
        targetType: 'user',
        targetId: userId,
        actor: { type: 'user', id: userId },
        detail: { idpId: by.provider.id, protocolId: by.protocol.id, uniqueId, groupIds },
      },
      statements: [
        ...userStatements(
          ctx,
          by,
          { id: userId, domainId: domain.id, uniqueId, name, email: mapped.user.email },
          ground,
        ),
        ...groupStatements(ctx, by, { userId, groupIds, left }),
        ...projectStatements(ctx, userId, projects),
      ],
    },
    revoked,
  ).catch((error: unknown) => {
    throw error instanceof ConstraintFailed ? taken('federated_user', `Duplicate entry: ${uniqueId}`) : error;
  });
  return { userId, groupIds };
}

function groupIdsOf({ mapping }: FederationRows, mapped: Mapped, { groups }: Ground): string[] {
  const ids = groups.map(({ id }) => id);
  const unknown = mapped.groupIds.find((id) => !ids.includes(id));
  if (unknown !== undefined) throw new NotMapped(`Group ${unknown} returned by mapping ${mapping.id} was not found`);
  if (ids.length > GROUPS_MAX)
    throw new NotMapped(`the mapping puts the user in ${ids.length} groups: ${GROUPS_MAX} may be`);
  return ids;
}

interface SavedUser {
  id: string;
  domainId: string;
  uniqueId: string;
  name: string;
  email: string | undefined;
}

function userStatements({ db, clock }: Context, by: FederationRows, saved: SavedUser, { user }: Ground): Statement[] {
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

function groupStatements(
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

function projectStatements({ db, ids }: Context, userId: string, { make, grant, revoke }: ProjectPlan): Statement[] {
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
