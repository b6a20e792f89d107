import { forbidden } from '../../../http/errors.ts';
import { missing } from '../../http/names.ts';
import { type DomainRef, type Mapped, NotMapped } from '../mapping/evaluate.ts';
import type { FederationRows } from './find-federation.ts';
import type { Ground } from './read-ground.ts';

/** As long as a project's name may be. */
const NAME_CHARS_MAX = 64;

/** What a log-in changes in projects: by name, as one may be made by another log-in meanwhile. */
export interface ProjectPlan {
  make: { name: string; domainId: string }[];
  grant: { name: string; domainId: string; roleId: string }[];
  revoke: { projectId: string; roleId: string }[];
}

/**
 * The projects that a mapping gives somebody, beside what there is. Since version 3.0 what it does not give is taken away.
 * @throws ApiError 403 (a role of another domain), 404 (no such role or domain), NotMapped (a name that no project can have)
 */
export function planProjects(by: FederationRows, mapped: Mapped, ground: Ground, userDomainId: string): ProjectPlan {
  const plan: ProjectPlan = { make: [], grant: [], revoke: [] };
  const given = new Set<string>();
  for (const project of mapped.projects) {
    const name = project.name.trim();
    if (name === '' || name.length > NAME_CHARS_MAX) throw new NotMapped(`no project can be called "${name}"`);
    const domainId = domainOf(project.domain, by, ground);
    const known = ground.projects.find((one) => one.name === name && one.domainId === domainId);
    if (!known) plan.make.push({ name, domainId });
    for (const role of project.roles) {
      const roleId = roleOf(role, by, ground, userDomainId);
      given.add(`${known?.id}/${roleId}`);
      plan.grant.push({ name, domainId, roleId });
    }
  }
  if (by.mapping.schemaVersion === '3.0')
    plan.revoke = ground.granted.filter(({ projectId, roleId }) => !given.has(`${projectId}/${roleId}`));
  return plan;
}

function domainOf(ref: DomainRef | undefined, { provider }: FederationRows, { projectDomains }: Ground): string {
  const { id, name } = ref ?? {};
  if (id === undefined && name === undefined) return provider.domainId;
  const found = projectDomains.find((one) => (id === undefined ? one.name === name : one.id === id));
  if (!found) throw missing('domain', id ?? name ?? '');
  return found.id;
}

function roleOf(name: string, { provider }: FederationRows, { roles }: Ground, userDomainId: string): string {
  const named = roles.filter((role) => role.name === name);
  if (named.length === 0) throw missing('role', name);
  const role = named.find(({ domainId }) => domainId === '') ?? named.find(({ domainId }) => domainId === userDomainId);
  if (!role) throw forbidden(`role: ${name} must be within the same domain as the identity provider: ${provider.id}.`);
  return role.id;
}
