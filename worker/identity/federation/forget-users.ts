import { and, eq, inArray, notExists } from 'drizzle-orm';
import type { Database } from '../../../db/client.ts';
import { credentials } from '../../../db/schema/delegation.ts';
import { federatedUsers } from '../../../db/schema/federation.ts';
import { assignments, groupMembers, users } from '../../../db/schema/identity.ts';
import type { Statement } from '../../http/commit.ts';

/** The statements that delete the users whom an identity provider, or one of its protocols, alone knew. */
export function forgetUsers(db: Database, of: { idpId: string; protocolId?: string }): Statement[] {
  const gone = and(
    eq(federatedUsers.idpId, of.idpId),
    of.protocolId === undefined ? undefined : eq(federatedUsers.protocolId, of.protocolId),
  );
  return [
    db.delete(federatedUsers).where(gone),
    ...forgetOrphans(db),
    ...(of.protocolId === undefined ? [db.delete(groupMembers).where(eq(groupMembers.idpId, of.idpId))] : []),
  ];
}

/** The statements that delete, with all that was theirs, the users by identity providers whom none knows any more. */
export function forgetOrphans(db: Database): Statement[] {
  const known = db
    .select({ id: federatedUsers.userId })
    .from(federatedUsers)
    .where(eq(federatedUsers.userId, users.id));
  const orphaned = and(eq(users.federated, true), notExists(known));
  const orphans = db.select({ id: users.id }).from(users).where(orphaned);
  return [
    db.delete(assignments).where(and(eq(assignments.actorType, 'user'), inArray(assignments.actorId, orphans))),
    db.delete(credentials).where(inArray(credentials.userId, orphans)),
    db.delete(users).where(orphaned),
  ];
}
