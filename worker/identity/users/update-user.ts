import { eq } from 'drizzle-orm';
import { applicationCredentials } from '../../../db/schema/delegation.ts';
import { domains, users } from '../../../db/schema/identity.ts';
import { ConstraintFailed } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { badRequest } from '../../http/errors.ts';
import { linkFault, linkStatements } from '../federation/links.ts';
import { merged } from '../http/attributes.ts';
import { missing } from '../http/names.ts';
import { hashPassword } from '../password.ts';
import { commitRevoking } from '../tokens/revoke.ts';
import { domainAsProject, nameTaken, requireUser } from './find-user.ts';
import { rememberPassword } from './password-history.ts';
import { complianceOf, expiryOf, requireGoodPassword } from './security-compliance.ts';
import type { UserToUpdate } from './user-body.ts';
import type { UserRow } from './views.ts';

/** A new password, or none, other identities elsewhere, and disabling end the user's tokens; disabling ends application credentials for good. @throws ApiError 400, 403, 404, 409 */
export async function updateUser(
  ctx: ActorContext,
  { id, change, password, links, place }: { id: string } & UserToUpdate,
): Promise<UserRow> {
  const { db } = ctx;
  const [[row], projectAsDomain] = await db.batch([
    db.select().from(users).where(eq(users.id, id)),
    db
      .select({ id: domains.id })
      .from(domains)
      .where(eq(domains.id, change.defaultProjectId ?? '')),
  ]);
  const user = requireUser(ctx, id, row, 'identity:update_user');
  if (place.id !== undefined && place.id !== id) throw badRequest('Cannot change ID');
  if (place.domainId !== undefined && place.domainId !== user.domainId) throw badRequest('Cannot change Domain ID');
  if (projectAsDomain[0]) throw domainAsProject(projectAsDomain[0].id);
  const rules = complianceOf(ctx.env);
  if (typeof password === 'string') requireGoodPassword(rules, password);
  const nowMs = ctx.clock.nowMs();
  const options = merged(user.options, change.options);
  const passwordHash = typeof password === 'string' ? await hashPassword(password) : password;
  const update = db
    .update(users)
    .set({
      ...change,
      options,
      extra: merged(user.extra, change.extra),
      ...(passwordHash === undefined
        ? {}
        : {
            passwordHash,
            passwordChangedAtMs: nowMs,
            passwordExpiresAtMs: passwordHash === null ? null : expiryOf(rules, { options, nowMs, byAdmin: true }),
            failedLogins: 0,
            failedAtMs: null,
          }),
    })
    .where(eq(users.id, id))
    .returning();
  const disabled = user.enabled && change.enabled === false;
  const ends = passwordHash !== undefined || links !== undefined || disabled;
  const changed = [
    ...Object.keys(change),
    ...(passwordHash === undefined ? [] : ['password']),
    ...(links === undefined ? [] : ['federated']),
  ];
  const [rows] = await commitRevoking(
    ctx,
    {
      audit: { action: 'identity:update_user', targetType: 'user', targetId: id, detail: { changed } },
      statements: [
        update,
        ...(disabled ? [db.delete(applicationCredentials).where(eq(applicationCredentials.userId, id))] : []),
        ...(links ? linkStatements(ctx, user, links) : []),
        ...rememberPassword(ctx, rules, { userId: id, passwordHash: passwordHash ?? null }),
      ],
    },
    ends ? [{ kind: 'user', subject: id }] : [],
  ).catch((failed: unknown) => {
    const error = linkFault(failed);
    throw error instanceof ConstraintFailed ? nameTaken(change.name ?? user.name, user.domainId) : error;
  });
  const updated = (rows as UserRow[])[0];
  if (!updated) throw missing('user', id);
  return updated;
}
