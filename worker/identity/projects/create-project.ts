import { eq, or, sql } from 'drizzle-orm';
import { domains, projects } from '../../../db/schema/identity.ts';
import { ConstraintFailed, commit } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { badRequest, forbidden } from '../../http/errors.ts';
import { merged } from '../http/attributes.ts';
import { DEFAULT_DOMAIN, taken } from '../http/names.ts';
import { authorize } from '../policy.ts';
import type { ProjectToCreate } from './project-body.ts';
import { idsAbove } from './tree.ts';
import type { ProjectRow } from './views.ts';

/** Projects from the domain down, the domain not counted. */
export const PROJECT_DEPTH_MAX = 5;

/** @throws ApiError 400 (no such domain or parent, or a disabled one), 403 (also: too deep), 409 (the name is taken) */
export async function createProject(ctx: ActorContext, input: ProjectToCreate): Promise<ProjectRow> {
  const domainId = input.domainId ?? ctx.actor.domainId ?? DEFAULT_DOMAIN;
  authorize(ctx, 'identity:create_project', { projectDomainId: domainId });
  const parentId = await findPlace(ctx, domainId, input.parentId ?? domainId);
  const { name, description, enabled, tags, options, extra } = input;
  const id = ctx.ids.hex();
  const insert = ctx.db
    .insert(projects)
    .values({ id, domainId, parentId, name, description, enabled, tags, options: merged({}, options), extra })
    .returning();
  try {
    const [rows] = await commit(ctx, {
      audit: { action: 'identity:create_project', targetType: 'project', targetId: id, detail: { name, domainId } },
      statements: [insert],
    });
    return (rows as ProjectRow[])[0] as ProjectRow;
  } catch (error) {
    if (error instanceof ConstraintFailed && error.constraint !== '') throw nameTaken(name, id);
    throw error;
  }
}

/** Keystone's words for two projects of one name in a domain. */
export const nameTaken = (name: string, id: string) =>
  taken(
    'project',
    'it is not permitted to have two projects with either the same name or same id in the same domain: ' +
      `name is ${name}, project id ${id}`,
  );

/**
 * Checks that a project can be put under a parent.
 * @returns the parent project's id; null when the parent is the domain
 */
async function findPlace({ db }: ActorContext, domainId: string, parentId: string): Promise<string | null> {
  const [domainRows, chain] = await db.batch([
    db
      .select({ id: domains.id, enabled: domains.enabled })
      .from(domains)
      .where(or(eq(domains.id, domainId), eq(domains.id, parentId))),
    db
      .select({ id: projects.id, domainId: projects.domainId, enabled: projects.enabled })
      .from(projects)
      .where(or(eq(projects.id, parentId), sql`${projects.id} IN ${idsAbove(parentId)}`)),
  ]);
  const domain = domainRows.find((row) => row.id === domainId);
  if (!domain) throw badRequest(`Could not find domain: ${domainId}.`);
  if (parentId !== domainId && domainRows.some((row) => row.id === parentId)) {
    throw badRequest(
      `Cannot create project, the parent (${parentId}) is acting as a domain, but this project's domain id ` +
        `(${domainId}) does not match the parent's id.`,
    );
  }
  const parent = chain.find((row) => row.id === parentId);
  if (parentId !== domainId && !parent) throw badRequest(`Could not find project: ${parentId}.`);
  if (parent && parent.domainId !== domainId) {
    throw badRequest(
      `Cannot create project, since it specifies its domain_id ${domainId}, but specifies a parent in a different ` +
        `domain (${parent.domainId}).`,
    );
  }
  const disabled = [domain, ...chain].find((row) => !row.enabled);
  if (disabled) throw badRequest(`cannot create a project in a branch containing a disabled project: ${disabled.id}`);
  if (chain.length >= PROJECT_DEPTH_MAX) throw forbidden(`Max hierarchy depth reached for ${parentId} branch.`);
  return parent ? parentId : null;
}
