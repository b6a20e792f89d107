import { eq } from 'drizzle-orm';
import { domains, users } from '../../../db/schema/identity.ts';
import { ConstraintFailed, commit } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { linkFault, linkStatements } from '../federation/links.ts';
import { merged } from '../http/attributes.ts';
import { DEFAULT_DOMAIN, missing } from '../http/names.ts';
import { hashPassword } from '../password.ts';
import { authorize } from '../policy.ts';
import { domainAsProject, nameTaken } from './find-user.ts';
import { rememberPassword } from './password-history.ts';
import { complianceOf, expiryOf, requireGoodPassword } from './security-compliance.ts';
import type { UserToCreate } from './user-body.ts';
import type { UserRow } from './views.ts';

/** @throws ApiError 400, 403, 404 (no such domain), 409 (the name is taken) */
export async function createUser(ctx: ActorContext, input: UserToCreate): Promise<UserRow> {
  const { db } = ctx;
  const { password, domainId: askedDomainId, options, links, ...attributes } = input;
  const domainId = askedDomainId ?? ctx.actor.domainId ?? DEFAULT_DOMAIN;
  authorize(ctx, 'identity:create_user', { userDomainId: domainId });
  const [domainRows, projectAsDomain] = await db.batch([
    db.select({ id: domains.id }).from(domains).where(eq(domains.id, domainId)),
    db
      .select({ id: domains.id })
      .from(domains)
      .where(eq(domains.id, input.defaultProjectId ?? '')),
  ]);
  if (domainRows.length === 0) throw missing('domain', domainId);
  if (projectAsDomain[0]) throw domainAsProject(projectAsDomain[0].id);
  const rules = complianceOf(ctx.env);
  if (password !== null) requireGoodPassword(rules, password);
  const passwordHash = password === null ? null : await hashPassword(password);
  const id = ctx.ids.hex();
  const nowMs = ctx.clock.nowMs();
  const byAdmin = { options: options ?? {}, nowMs, byAdmin: true };
  const insert = db
    .insert(users)
    .values({
      ...attributes,
      id,
      domainId,
      passwordHash,
      passwordChangedAtMs: passwordHash === null ? null : nowMs,
      passwordExpiresAtMs: passwordHash === null ? null : expiryOf(rules, byAdmin),
      options: merged({}, options),
      createdAtMs: nowMs,
    })
    .returning();
  try {
    const [rows] = await commit(ctx, {
      audit: {
        action: 'identity:create_user',
        targetType: 'user',
        targetId: id,
        detail: { name: input.name, domainId },
      },
      statements: [
        insert,
        ...rememberPassword(ctx, rules, { userId: id, passwordHash }),
        ...(links.length > 0 ? linkStatements(ctx, { id, domainId }, links) : []),
      ],
    });
    return (rows as UserRow[])[0] as UserRow;
  } catch (failed) {
    const error = linkFault(failed);
    if (error instanceof ConstraintFailed && error.constraint !== '') throw nameTaken(input.name, domainId);
    throw error;
  }
}
