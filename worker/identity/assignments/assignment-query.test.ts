import { expect, test } from 'vitest';
import { parseAssignmentQuery } from './assignment-query.ts';

const parse = (query: string) => parseAssignmentQuery(new URLSearchParams(query));
const nothing = { system: false, effective: false, includeNames: false, includeSubtree: false };

test.each([
  ['', nothing],
  ['user.id=u&role.id=r', { ...nothing, userId: 'u', roleId: 'r' }],
  ['group.id=g&scope.domain.id=d', { ...nothing, groupId: 'g', domainId: 'd' }],
  ['scope.project.id=p&include_subtree', { ...nothing, projectId: 'p', includeSubtree: true }],
  ['scope.system=all', { ...nothing, system: true }],
  ['effective&include_names=1', { ...nothing, effective: true, includeNames: true }],
  ['effective=0&include_names=0', nothing],
  ['scope.OS-INHERIT:inherited_to=projects', { ...nothing, inherited: true }],
  ['scope.OS-INHERIT:inherited_to=x', { ...nothing, inherited: false }],
])('%j', (query, expected) => {
  expect(parse(query)).toEqual(expected);
});

test.each([
  ['scope.domain.id=d&scope.project.id=p', 'Specify a domain or project, not both'],
  ['scope.domain.id=d&scope.system=all', 'Specify system or domain, not both'],
  ['scope.project.id=p&scope.system=all', 'Specify system or project, not both'],
  ['user.id=u&group.id=g', 'Specify a user or group, not both'],
  ['effective&group.id=g', 'Combining effective and group filter will always result in an empty list.'],
  [
    'effective&scope.domain.id=d&scope.OS-INHERIT:inherited_to=projects',
    'Combining effective, domain and inherited filters will always result in an empty list.',
  ],
])('%j is refused', (query, message) => {
  expect(() => parse(query)).toThrowError(expect.objectContaining({ status: 400, message }));
});
