import { ConstraintFailed } from '../../../http/commit.ts';
import type { Context } from '../../../http/context.ts';
import { missing } from '../../http/names.ts';
import { assignmentSubject, type Revocation } from '../../tokens/revocation.ts';
import { commitRevoking } from '../../tokens/revoke.ts';
import { type Mapped, NotMapped } from '../mapping/evaluate.ts';
import { taken } from '../names.ts';
import type { FederationRows } from './find-federation.ts';
import { planProjects } from './plan-projects.ts';
import { type Ground, readGround } from './read-ground.ts';
import { groupStatements, projectStatements, userStatements } from './statements.ts';
import { federatedUserId, quoted } from './unique-id.ts';

/** Groups that one log-in may put a user in: they travel in the token. */
export const GROUPS_MAX = 64;
const ID_CHARS_MAX = 255;

/** Whom a log-in is of, and the groups that it puts that user in. */
interface SavedLogIn {
  userId: string;
  groupIds: string[];
}

/**
 * Makes here whom a mapping speaks of, or brings up to date who is known already: name, e-mail, groups, projects.
 * @throws NotMapped, ApiError 403, 404, 409
 */
export async function saveUser(
  ctx: Context,
  by: FederationRows,
  { mapped, remoteUser }: { mapped: Mapped; remoteUser: string | undefined },
): Promise<SavedLogIn> {
  const name = mapped.user.name || remoteUser || mapped.user.id;
  if (!name) throw new NotMapped('the mapping gives the user neither id nor name, and there is no REMOTE_USER');
  const uniqueId = quoted(mapped.user.id || name);
  if (uniqueId.length > ID_CHARS_MAX) throw new NotMapped(`a user's id is longer than ${ID_CHARS_MAX} characters`);
  const save = () => saveOnce(ctx, by, { mapped, name, uniqueId });
  // Another log-in of the same person may just have made the user: then there is one to bring up to date.
  const again = (error: unknown) => {
    if (error instanceof ConstraintFailed) return save();
    throw error;
  };
  return save()
    .catch(again)
    .catch((error: unknown) => {
      throw error instanceof ConstraintFailed ? taken('federated_user', `Duplicate entry: ${uniqueId}`) : error;
    });
}

async function saveOnce(
  ctx: Context,
  by: FederationRows,
  { mapped, name, uniqueId }: { mapped: Mapped; name: string; uniqueId: string },
): Promise<SavedLogIn> {
  const ground = await readGround(ctx.db, by, { mapped, uniqueId });
  const domain = ground.userDomain;
  if (!domain) throw missing('domain', mapped.user.domain?.id ?? mapped.user.domain?.name ?? '');
  const groupIds = groupIdsOf(by, mapped, ground);
  const projects = planProjects(by, mapped, ground, domain.id);
  const { email } = mapped.user;
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
        ...userStatements(ctx, by, { id: userId, domainId: domain.id, uniqueId, name, email }, ground),
        ...groupStatements(ctx, by, { userId, groupIds, left }),
        ...projectStatements(ctx, userId, projects),
      ],
    },
    revoked,
  );
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
