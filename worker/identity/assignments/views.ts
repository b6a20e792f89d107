import type { AssignmentRow } from './list-assignments.ts';

/** A role assignment as the API shows it: with ids alone, or with names. */
export function assignmentView(baseUrl: string, row: AssignmentRow, includeNames: boolean) {
  const actor = includeNames
    ? { id: row.actorId, name: row.actorName, domain: { id: row.actorDomainId, name: row.actorDomainName } }
    : { id: row.actorId };
  const roleDomain = row.roleDomainId === '' ? {} : { domain: { id: row.roleDomainId, name: row.roleDomainName } };
  const role = includeNames ? { id: row.roleId, name: row.roleName, ...roleDomain } : { id: row.roleId };
  const handedDown = row.inherited === 1 ? { 'OS-INHERIT:inherited_to': 'projects' } : {};
  return {
    links: linksOf(`${baseUrl}/identity/v3`, row),
    scope: { ...scopeView(row, includeNames), ...handedDown },
    [row.actorType]: actor,
    role,
  };
}

function scopeView(row: AssignmentRow, includeNames: boolean) {
  if (row.targetType === 'system') return { system: { all: true } };
  if (!includeNames) return { [row.targetType]: { id: row.targetId } };
  if (row.targetType === 'domain') return { domain: { id: row.targetId, name: row.targetName } };
  const domain = { id: row.targetDomainId, name: row.targetDomainName };
  return { project: { id: row.targetId, name: row.targetName, domain } };
}

/** Where the assignment was made, and what implies the role. */
function linksOf(root: string, row: AssignmentRow) {
  const { fromType, fromId, targetType, targetId, priorRoleId, roleId, groupId } = row;
  const place = targetType === 'system' ? '/system' : `/${fromType ?? targetType}s/${fromId ?? targetId}`;
  const actor = groupId === null ? `${row.actorType}s/${row.actorId}` : `groups/${groupId}`;
  const path = `${place}/${actor}/roles/${priorRoleId ?? roleId}`;
  return {
    assignment: `${root}${row.inherited === 1 ? `/OS-INHERIT${path}/inherited_to_projects` : path}`,
    ...(groupId === null ? {} : { membership: `${root}/groups/${groupId}/users/${row.actorId}` }),
    ...(priorRoleId === undefined ? {} : { prior_role: `${root}/prior_role/${roleId}/implies/${priorRoleId}` }),
  };
}
