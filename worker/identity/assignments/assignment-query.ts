import { badRequest } from '../../http/errors.ts';
import { flag } from '../http/filters.ts';

/** What a list of role assignments is asked for. */
export interface AssignmentQuery {
  userId?: string;
  groupId?: string;
  roleId?: string;
  projectId?: string;
  domainId?: string;
  system: boolean;
  /** Only those that are handed down, or only those that are not. */
  inherited?: boolean;
  /** What holds in the end: handed down to each project, and with implied roles. */
  effective: boolean;
  includeNames: boolean;
  /** Also those on the projects below. */
  includeSubtree: boolean;
}

const EXCLUSIVE: readonly [string, string, string][] = [
  ['scope.domain.id', 'scope.project.id', 'Specify a domain or project, not both'],
  ['scope.domain.id', 'scope.system', 'Specify system or domain, not both'],
  ['scope.project.id', 'scope.system', 'Specify system or project, not both'],
  ['user.id', 'group.id', 'Specify a user or group, not both'],
];

const inheritedFilter = 'scope.OS-INHERIT:inherited_to';

/** @throws ApiError 400 for what cannot be combined */
export function parseAssignmentQuery(query: URLSearchParams): AssignmentQuery {
  for (const [one, other, message] of EXCLUSIVE) if (query.get(one) && query.get(other)) throw badRequest(message);
  const effective = flag(query, 'effective');
  const inherited = query.has(inheritedFilter) ? query.get(inheritedFilter) === 'projects' : undefined;
  if (effective && query.get('group.id')) {
    throw badRequest('Combining effective and group filter will always result in an empty list.');
  }
  if (effective && inherited && query.get('scope.domain.id')) {
    throw badRequest('Combining effective, domain and inherited filters will always result in an empty list.');
  }
  const text = (name: string, key: string) => (query.get(name) ? { [key]: query.get(name) } : {});
  return {
    ...text('user.id', 'userId'),
    ...text('group.id', 'groupId'),
    ...text('role.id', 'roleId'),
    ...text('scope.project.id', 'projectId'),
    ...text('scope.domain.id', 'domainId'),
    ...(inherited === undefined ? {} : { inherited }),
    system: Boolean(query.get('scope.system')),
    effective,
    includeNames: flag(query, 'include_names'),
    includeSubtree: flag(query, 'include_subtree'),
  };
}
