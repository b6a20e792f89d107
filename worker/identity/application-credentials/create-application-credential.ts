import { randomBytes } from 'node:crypto';
import { eq, type SQL, sql } from 'drizzle-orm';
import { accessRules, applicationCredentials } from '../../../db/schema/delegation.ts';
import { roles } from '../../../db/schema/identity.ts';
import { ConstraintFailed, commit } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { badRequest } from '../../http/errors.ts';
import { forbiddenAction } from '../http/forbidden-action.ts';
import { missing, taken } from '../http/names.ts';
import { hashPassword } from '../password.ts';
import { authorize } from '../policy.ts';
import { closureOf } from '../roles/closure.ts';
import type { RoleRow } from '../roles/views.ts';
import { rolesOnProject } from '../tokens/rights.ts';
import type { ApplicationCredentialToCreate } from './body.ts';
import { refuseTrusts, requireUnrestricted } from './guards.ts';
import { readApplicationCredentials } from './read.ts';
import type { AccessRuleRow, ApplicationCredential } from './views.ts';

const SECRET_BYTES = 64;

const invalid = (detail: string) => badRequest(`Invalid application credential: ${detail}`);

/**
 * Makes a credential for the project of the token, with all or some of the token's roles.
 * @returns the credential, and its secret, which is not kept
 * @throws ApiError 400, 403, 409 (the name is taken)
 */
export async function createApplicationCredential(
  ctx: ActorContext,
  { userId, ...input }: ApplicationCredentialToCreate & { userId: string },
): Promise<{ made: ApplicationCredential; secret: string }> {
  const action = 'identity:create_application_credential';
  const { db, actor } = ctx;
  authorize(ctx, action, { userId });
  refuseTrusts(ctx);
  requireUnrestricted(ctx, 'application credentials');
  const { projectId } = actor;
  if (projectId === null) throw forbiddenAction('an application credential needs a token that is scoped to a project');
  if (input.expires && input.expires.ms <= ctx.clock.nowMs()) throw badRequest('The given time is in the past.');
  const [all, held, known] = await db.batch([
    db.select().from(roles).where(wantedRoles(input.roles)),
    rolesOnProject(db, userId, projectId),
    db.select().from(accessRules).where(eq(accessRules.userId, userId)),
  ]);
  // What was passed on to the token is all that it can pass on; else what its user has by now counts.
  const ownIds = held
    .filter(({ name, domainId }) => domainId === '' && (!actor.delegation || actor.roles.includes(name)))
    .map((role) => role.id);
  const wanted = input.roles.length === 0 ? all.filter((role) => ownIds.includes(role.id)) : all;
  requireHeld(input.roles, wanted, ownIds);
  const rules = input.accessRules && rulesOf(ctx, userId, input.accessRules, known);
  const secret = input.secret ?? randomBytes(SECRET_BYTES).toString('base64url');
  const id = ctx.ids.hex();
  const insert = db.insert(applicationCredentials).values({
    id,
    userId,
    projectId,
    name: input.name,
    description: input.description ?? null,
    secretHash: await hashPassword(secret),
    expiresAtMs: input.expires?.ms ?? null,
    expiresMicros: input.expires?.micros ?? 0,
    unrestricted: input.unrestricted,
    roleIds: wanted.map((role) => role.id),
    accessRuleIds: rules ? rules.map((rule) => rule.id) : null,
  });
  const fresh = (rules ?? []).filter((rule) => !known.some((one) => one.id === rule.id));
  await commit(ctx, {
    audit: { action, targetType: 'application-credential', targetId: id, detail: { name: input.name, projectId } },
    statements: [...fresh.map((rule) => db.insert(accessRules).values(rule).onConflictDoNothing()), insert],
  }).catch((error: unknown) => {
    if (!(error instanceof ConstraintFailed) || error.constraint === '') throw error;
    throw taken('application_credential', `Duplicate entry found with name ${input.name}`);
  });
  const [made] = await readApplicationCredentials(ctx, eq(applicationCredentials.id, id));
  if (!made) throw missing('Application Credential', id);
  return { made, secret };
}

type RoleRef = ApplicationCredentialToCreate['roles'][number];

/** The roles asked for with all that they imply; all global ones where none are asked for. */
function wantedRoles(asked: readonly RoleRef[]): SQL | undefined {
  if (asked.length === 0) return eq(roles.domainId, '');
  const ids = asked.flatMap((role) => ('id' in role ? [role.id] : []));
  const names = asked.flatMap((role) => ('name' in role ? [role.name] : []));
  return sql`${roles.id} IN ${closureOf(sql`SELECT id FROM roles
    WHERE id IN (SELECT value FROM json_each(${JSON.stringify(ids)}))
      OR (domain_id = '' AND name IN (SELECT value FROM json_each(${JSON.stringify(names)})))`)}`;
}

/** @throws ApiError 400 for a role that is not held, 404 for one that there is not */
function requireHeld(asked: readonly RoleRef[], found: readonly RoleRow[], held: readonly string[]): void {
  for (const role of asked) {
    const known = found.some((one) => ('id' in role ? one.id === role.id : one.name === role.name));
    if (!known) throw missing('role', 'id' in role ? role.id : role.name);
  }
  if (found.some(({ id }) => !held.includes(id))) {
    throw invalid('Cannot create an application credential with unassigned role');
  }
}

/** Rules with ids: those that are known keep theirs. @throws ApiError 400 for an id that there is not */
function rulesOf(
  ctx: ActorContext,
  userId: string,
  asked: NonNullable<ApplicationCredentialToCreate['accessRules']>,
  known: readonly AccessRuleRow[],
): AccessRuleRow[] {
  const rules = new Map<string, AccessRuleRow>();
  for (const { id, service, method, path } of asked) {
    const same = (one: AccessRuleRow) => one.service === service && one.method === method && one.path === path;
    const existing = known.find((one) => one.id === id) ?? known.find(same) ?? [...rules.values()].find(same);
    if (existing) rules.set(existing.id, existing);
    else if (service === undefined || method === undefined || path === undefined)
      throw invalid(`Could not find Access Rule: ${id}.`);
    else {
      const made = { id: ctx.ids.hex(), userId, service, method, path };
      rules.set(made.id, made);
    }
  }
  return [...rules.values()];
}
