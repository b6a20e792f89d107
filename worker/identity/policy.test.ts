import { describe, expect, test } from 'vitest';
import type { Actor } from '../http/context.ts';
import { type Action, allows, POLICY, type Target } from './policy.ts';

/** Who asks: by role and by where it is held. */
const KINDS = [
  'project reader',
  'project member',
  'project manager',
  'project admin',
  'project service',
  'domain reader',
  'domain member',
  'domain manager',
  'domain admin',
  'other domain reader',
  'other domain manager',
  'system reader',
  'system member',
  'system admin',
  'unscoped',
] as const;
type Kind = (typeof KINDS)[number];

/** A role with those that come with it. */
const ROLES = ['reader', 'member', 'manager', 'admin'];
const withImplied = (role: string) => (role === 'service' ? [role] : ROLES.slice(0, ROLES.indexOf(role) + 1));

function actorOf(kind: Kind): Actor {
  const words = kind.split(' ');
  const role = words.at(-1) ?? '';
  const own = { projectId: 'p', projectName: 'p', projectDomainId: 'd', projectDomainName: 'D' };
  const none = { projectId: null, projectName: null, projectDomainId: null, projectDomainName: null };
  return {
    userId: 'me',
    userName: 'me',
    userDomainId: 'd',
    userDomainName: 'D',
    ...(words[0] === 'project' ? own : none),
    domainId: words[0] === 'domain' ? 'd' : words[0] === 'other' ? 'other' : null,
    systemScope: words[0] === 'system',
    roles: kind === 'unscoped' ? [] : withImplied(role),
    auditId: 'a',
    issuedAtMs: 0,
    expiresAtMs: 1,
  };
}

const ADMINS: Kind[] = ['project admin', 'domain admin', 'system admin'];
const SYSTEM: Kind[] = ['system reader', 'system member'];
const IN_DOMAIN: Kind[] = ['domain reader', 'domain member', 'domain manager'];
const ON_PROJECT: Kind[] = ['project reader', 'project member', 'project manager', 'project service'];
const EVERYBODY: Kind[] = [...KINDS];
const PROJECT_AND_DOMAIN = [...ON_PROJECT, ...IN_DOMAIN];

const someone: Target = { userId: 'you', userDomainId: 'd' };
const project: Target = { projectId: 'p', projectDomainId: 'd' };
const otherProject: Target = { projectId: 'q', projectDomainId: 'd' };
const foreignProject: Target = { projectId: 'q', projectDomainId: 'e' };
const list: Target = { domainId: 'd' };
const memberGrant: Target = { userDomainId: 'd', projectDomainId: 'd', roleName: 'member', roleDomainId: '' };
const groupGrant: Target = { groupDomainId: 'd', projectDomainId: 'd', roleName: 'member', roleDomainId: '' };
const membership: Target = { userDomainId: 'd', groupDomainId: 'd' };
const adminGrant: Target = { ...memberGrant, roleName: 'admin' };

/** Single sign-on is the administrators' affair. */
const FEDERATION = (['identity_provider', 'protocol', 'mapping', 'service_provider'] as const).flatMap(
  (what): [Action, string, Target, Kind[]][] => [
    [`identity:get_${what}`, '', {}, SYSTEM],
    [`identity:list_${what}s`, '', {}, SYSTEM],
    [`identity:create_${what}`, '', {}, []],
    [`identity:update_${what}`, '', {}, []],
    [`identity:delete_${what}`, '', {}, []],
  ],
);

/** What administrators alone change, whom a list of it is named after, and who looks at it. */
const ADMINISTERED: [one: string, many: string, readers: Kind[]][] = [
  ['service', 'services', SYSTEM],
  ['endpoint', 'endpoints', SYSTEM],
  ['region', 'regions', EVERYBODY],
  ['endpoint_group', 'endpoint_groups', SYSTEM],
  ['policy', 'policies', SYSTEM],
  ['consumer', 'consumers', SYSTEM],
];
const ADMINISTERED_ROWS = ADMINISTERED.flatMap(([one, many, readers]) => [
  rowOf(`get_${one}`, readers),
  rowOf(`list_${many}`, readers),
  ...['create', 'update', 'delete'].map((what) => rowOf(`${what}_${one}`, [])),
]);

function rowOf(name: string, others: Kind[]): [Action, string, Target, Kind[]] {
  return [`identity:${name}` as Action, '', {}, others];
}

/** What is a user's own affair, by what it is called: who else has it, and for whom it is not even the administrators'. */
const OWN: Target = { userId: 'me' };
const MEMBERS = KINDS.filter((kind) => /member|manager/.test(kind));
const TRUSTOR: Target = { trustorId: 'me', trusteeId: 'you' };
const TRUSTEE: Target = { trustorId: 'you', trusteeId: 'me' };
const OTHERS: Target = { userId: 'you', trustorId: 'you', trusteeId: 'them' };
const DELEGATION_ROWS: [Action, string, Target, Kind[]][] = [
  ...(['get_application_credential', 'list_application_credentials'] as const).flatMap(
    (name): [Action, string, Target, Kind[]][] => [
      [`identity:${name}`, 'the own', OWN, EVERYBODY],
      [`identity:${name}`, "another's", OTHERS, SYSTEM],
    ],
  ),
  ['identity:create_application_credential', 'the own', OWN, EVERYBODY],
  ['identity:delete_application_credential', 'the own', OWN, EVERYBODY],
  ['identity:delete_application_credential', "another's", OTHERS, []],
  ['identity:get_access_rule', 'the own', OWN, EVERYBODY],
  ['identity:list_access_rules', 'the own', OWN, EVERYBODY],
  ['identity:delete_access_rule', 'the own', OWN, EVERYBODY],
  ...(['get_credential', 'list_credentials', 'ec2_get_credential', 'ec2_list_credentials'] as const).flatMap(
    (name): [Action, string, Target, Kind[]][] => [
      [`identity:${name}`, 'the own', OWN, EVERYBODY],
      [`identity:${name}`, "another's", OTHERS, SYSTEM],
    ],
  ),
  ...(['create_credential', 'update_credential', 'delete_credential'] as const).flatMap(
    (name): [Action, string, Target, Kind[]][] => [
      [`identity:${name}`, 'the own', OWN, EVERYBODY],
      [`identity:${name}`, "another's", OTHERS, []],
    ],
  ),
  ...(['ec2_create_credential', 'ec2_delete_credential'] as const).flatMap(
    (name): [Action, string, Target, Kind[]][] => [
      [`identity:${name}`, 'the own', OWN, MEMBERS],
      [`identity:${name}`, "another's", OTHERS, []],
    ],
  ),
  ['identity:ec2tokens_validate', '', {}, ['project service']],
  ['identity:s3tokens_validate', '', {}, ['project service']],
  ['identity:create_trust', 'as trustor', TRUSTOR, EVERYBODY],
  ['identity:list_trusts', '', {}, SYSTEM],
  ['identity:list_trusts_for_trustor', 'the own', TRUSTOR, EVERYBODY],
  ['identity:list_trusts_for_trustor', "another's", OTHERS, SYSTEM],
  ['identity:list_trusts_for_trustee', 'the own', TRUSTEE, EVERYBODY],
  ['identity:list_trusts_for_trustee', "another's", OTHERS, SYSTEM],
  ['identity:get_trust', 'as trustor', TRUSTOR, EVERYBODY],
  ['identity:get_trust', 'as trustee', TRUSTEE, EVERYBODY],
  ['identity:get_trust', 'of others', OTHERS, SYSTEM],
  ['identity:list_roles_for_trust', 'of others', OTHERS, SYSTEM],
  ['identity:get_role_for_trust', 'of others', OTHERS, SYSTEM],
  ['identity:delete_trust', 'as trustor', TRUSTOR, EVERYBODY],
  ['identity:delete_trust', 'as trustee', TRUSTEE, []],
];

/** Every action, on what, and who but the admins may do it. */
const ROWS: [Action, string, Target, Kind[]][] = [
  ['identity:validate_token', "another's", someone, [...SYSTEM, 'project service']],
  ['identity:validate_token', 'the own', { userId: 'me' }, EVERYBODY],
  ['identity:validate_token', 'none', {}, [...SYSTEM, 'project service']],
  ['identity:check_token', "another's", someone, SYSTEM],
  ['identity:check_token', 'the own', { userId: 'me' }, EVERYBODY],
  ['identity:revoke_token', "another's", someone, []],
  ['identity:revoke_token', 'the own', { userId: 'me' }, EVERYBODY],

  ['identity:get_domain', 'the own', { domainId: 'd' }, [...SYSTEM, ...PROJECT_AND_DOMAIN]],
  ['identity:get_domain', 'another', { domainId: 'e' }, SYSTEM],
  ['identity:get_domain', 'none', {}, SYSTEM],
  ['identity:list_domains', 'of the domain', list, [...SYSTEM, ...IN_DOMAIN]],
  ['identity:list_domains', 'all', {}, SYSTEM],
  ['identity:create_domain', '', {}, []],
  ['identity:update_domain', '', { domainId: 'd' }, []],
  ['identity:delete_domain', '', { domainId: 'd' }, []],

  ['identity:get_project', 'the own', project, [...SYSTEM, ...PROJECT_AND_DOMAIN]],
  ['identity:get_project', 'another of the domain', otherProject, [...SYSTEM, ...IN_DOMAIN]],
  ['identity:get_project', 'of another domain', foreignProject, SYSTEM],
  ['identity:get_project', 'none', {}, SYSTEM],
  ['identity:list_projects', 'of the domain', list, [...SYSTEM, ...IN_DOMAIN]],
  ['identity:list_projects', 'all', {}, SYSTEM],
  ['identity:list_user_projects', 'the own', { userId: 'me', userDomainId: 'd' }, EVERYBODY],
  ['identity:list_user_projects', "another's", someone, [...SYSTEM, ...IN_DOMAIN]],
  ['identity:create_project', '', { projectDomainId: 'd' }, ['domain manager']],
  ['identity:create_project', 'in another domain', { projectDomainId: 'e' }, []],
  ['identity:update_project', 'the own', project, ['domain manager']],
  ['identity:delete_project', 'the own', project, ['domain manager']],
  ['identity:delete_project', 'of another domain', foreignProject, []],
  ['identity:list_project_tags', 'the own', project, [...SYSTEM, ...PROJECT_AND_DOMAIN]],
  ['identity:get_project_tag', 'of another', otherProject, [...SYSTEM, ...IN_DOMAIN]],
  ['identity:update_project_tags', 'the own', project, ['domain manager']],
  ['identity:create_project_tag', 'the own', project, ['domain manager']],
  ['identity:delete_project_tag', 'the own', project, ['domain manager']],
  ['identity:delete_project_tags', 'the own', project, ['domain manager']],

  ['identity:get_user', 'the own', { userId: 'me', userDomainId: 'd' }, EVERYBODY],
  ['identity:get_user', 'another', someone, [...SYSTEM, ...IN_DOMAIN]],
  ['identity:get_user', 'of another domain', { userId: 'you', userDomainId: 'e' }, SYSTEM],
  ['identity:get_user', 'none', {}, SYSTEM],
  ['identity:list_users', 'of the domain', list, [...SYSTEM, ...IN_DOMAIN]],
  ['identity:list_users', 'all', {}, SYSTEM],
  ['identity:create_user', '', { userDomainId: 'd' }, ['domain manager']],
  ['identity:create_user', 'in another domain', { userDomainId: 'e' }, []],
  ['identity:update_user', 'the own', { userId: 'me', userDomainId: 'd' }, ['domain manager']],
  ['identity:delete_user', 'another', someone, ['domain manager']],

  ['identity:get_group', 'of the domain', { groupDomainId: 'd' }, [...SYSTEM, ...IN_DOMAIN]],
  ['identity:get_group', 'of another domain', { groupDomainId: 'e' }, SYSTEM],
  ['identity:list_groups', 'of the domain', { groupDomainId: 'd' }, [...SYSTEM, ...IN_DOMAIN]],
  ['identity:list_groups', 'all', {}, SYSTEM],
  ['identity:list_groups_for_user', 'the own', { userId: 'me', userDomainId: 'd' }, EVERYBODY],
  ['identity:list_groups_for_user', "another's", someone, [...SYSTEM, ...IN_DOMAIN]],
  ['identity:create_group', '', { groupDomainId: 'd' }, ['domain manager']],
  ['identity:update_group', '', { groupDomainId: 'd' }, ['domain manager']],
  ['identity:delete_group', 'of another domain', { groupDomainId: 'e' }, []],
  ['identity:list_users_in_group', '', { groupDomainId: 'd' }, [...SYSTEM, ...IN_DOMAIN]],
  ['identity:check_user_in_group', 'in the domain', membership, [...SYSTEM, ...IN_DOMAIN]],
  ['identity:check_user_in_group', 'of a foreign user', { ...membership, userDomainId: 'e' }, SYSTEM],
  ['identity:add_user_to_group', 'in the domain', membership, ['domain manager']],
  ['identity:add_user_to_group', 'of a foreign group', { ...membership, groupDomainId: 'e' }, []],
  ['identity:remove_user_from_group', 'in the domain', membership, ['domain manager']],

  [
    'identity:get_role',
    'one that managers grant',
    { roleName: 'member', roleDomainId: '' },
    [...SYSTEM, 'project manager', 'domain manager', 'other domain manager'],
  ],
  ['identity:get_role', 'admin', { roleName: 'admin', roleDomainId: '' }, SYSTEM],
  ['identity:get_role', 'none', {}, SYSTEM],
  ['identity:list_roles', '', {}, [...SYSTEM, 'domain manager', 'other domain manager']],
  ['identity:create_role', '', {}, []],
  ['identity:update_role', '', { roleName: 'member' }, []],
  ['identity:delete_role', '', { roleName: 'member' }, []],
  ['identity:get_domain_role', '', { roleName: 'x', roleDomainId: 'd' }, SYSTEM],
  ['identity:list_domain_roles', '', {}, SYSTEM],
  ['identity:create_domain_role', '', {}, []],
  ['identity:update_domain_role', '', { roleDomainId: 'd' }, []],
  ['identity:delete_domain_role', '', { roleDomainId: 'd' }, []],
  ['identity:list_implied_roles', '', {}, SYSTEM],
  ['identity:check_implied_role', '', {}, SYSTEM],
  ['identity:create_implied_role', '', {}, []],
  ['identity:delete_implied_role', '', {}, []],
  ['identity:list_role_inference_rules', '', {}, SYSTEM],

  ['identity:check_grant', 'in the domain', memberGrant, [...SYSTEM, ...IN_DOMAIN]],
  ['identity:check_grant', 'of a foreign role', { ...memberGrant, roleDomainId: 'e' }, SYSTEM],
  ['identity:check_grant', 'of a foreign user', { ...memberGrant, userDomainId: 'e' }, SYSTEM],
  ['identity:list_grants', 'in the domain', { userDomainId: 'd', domainId: 'd' }, [...SYSTEM, ...IN_DOMAIN]],
  ['identity:list_grants', 'on a foreign project', { userDomainId: 'd', projectDomainId: 'e' }, SYSTEM],
  ['identity:create_grant', 'of member', memberGrant, ['domain manager']],
  ['identity:create_grant', 'of admin', adminGrant, []],
  ['identity:create_grant', 'to a foreign user', { ...memberGrant, userDomainId: 'e' }, []],
  ['identity:create_grant', 'on a foreign project', { ...memberGrant, projectDomainId: 'e' }, []],
  ['identity:revoke_grant', 'of member', memberGrant, ['domain manager']],
  ['identity:revoke_grant', 'of admin', adminGrant, []],
  ['identity:check_system_grant_for_user', '', memberGrant, SYSTEM],
  ['identity:list_system_grants_for_user', '', memberGrant, SYSTEM],
  ['identity:create_system_grant_for_user', '', memberGrant, []],
  ['identity:revoke_system_grant_for_user', '', memberGrant, []],
  ['identity:check_system_grant_for_group', '', groupGrant, SYSTEM],
  ['identity:list_system_grants_for_group', '', groupGrant, SYSTEM],
  ['identity:create_system_grant_for_group', '', groupGrant, []],
  ['identity:revoke_system_grant_for_group', '', groupGrant, []],
  ['identity:create_grant', 'of member to a group', groupGrant, ['domain manager']],
  ['identity:create_grant', 'to a foreign group', { ...groupGrant, groupDomainId: 'e' }, []],
  ['identity:list_role_assignments', 'of the domain', list, [...SYSTEM, ...IN_DOMAIN]],
  ['identity:list_role_assignments', 'all', {}, SYSTEM],
  ['identity:list_role_assignments_for_tree', '', list, [...SYSTEM, ...IN_DOMAIN]],

  ...ADMINISTERED_ROWS,
  ...DELEGATION_ROWS,
  ...['get_registered_limit', 'list_registered_limits', 'get_limit_model', 'list_limits'].map((name) =>
    rowOf(name, EVERYBODY),
  ),
  ...['create_registered_limits', 'update_registered_limit', 'delete_registered_limit'].map((name) => rowOf(name, [])),
  ...['create_limits', 'update_limit', 'delete_limit'].map((name) => rowOf(name, [])),
  ...['get_domain_config', 'get_domain_config_default'].map((name) => rowOf(name, SYSTEM)),
  ...['create', 'update', 'delete'].map((what) => rowOf(`${what}_domain_config`, [])),
  [
    'identity:get_limit',
    'of the project',
    { limitProjectId: 'p', limitDomainId: 'd' },
    [...SYSTEM, ...PROJECT_AND_DOMAIN],
  ],
  ['identity:get_limit', 'of another project', { limitProjectId: 'q', limitDomainId: 'e' }, SYSTEM],
  ['identity:get_limit', 'of the domain', { limitDomainId: 'd' }, [...SYSTEM, ...IN_DOMAIN]],
  ['identity:list_projects_associated_with_endpoint_group', '', {}, SYSTEM],
  ['identity:list_endpoints_associated_with_endpoint_group', '', {}, SYSTEM],
  ['identity:get_endpoint_group_in_project', '', {}, SYSTEM],
  ['identity:list_endpoint_groups_for_project', '', {}, SYSTEM],
  ['identity:add_endpoint_group_to_project', '', {}, []],
  ['identity:remove_endpoint_group_from_project', '', {}, []],
  ['identity:list_projects_for_endpoint', '', {}, SYSTEM],
  ['identity:check_endpoint_in_project', '', {}, SYSTEM],
  ['identity:list_endpoints_for_project', '', {}, SYSTEM],
  ['identity:add_endpoint_to_project', '', {}, []],
  ['identity:remove_endpoint_from_project', '', {}, []],
  ...FEDERATION,
];

describe.each(ROWS)('%s %s', (action, _, target, others) => {
  test('is for those and no one else', () => {
    const allowed = KINDS.filter((kind) => allows(actorOf(kind), action, target));
    expect(allowed.toSorted()).toEqual([...new Set([...ADMINS, ...others])].toSorted());
  });
});

test.each([
  ['identity:create_application_credential', { userId: 'you' }, []],
  ['identity:create_trust', { trustorId: 'you' }, []],
  ['identity:get_access_rule', { userId: 'you' }, ['system admin', ...SYSTEM]],
  ['identity:list_access_rules', { userId: 'you' }, ['system admin', ...SYSTEM]],
  ['identity:delete_access_rule', { userId: 'you' }, ['system admin']],
] as [Action, Target, Kind[]][])('%s of another is not for every administrator', (action, target, allowed) => {
  expect(KINDS.filter((kind) => allows(actorOf(kind), action, target)).toSorted()).toEqual(allowed.toSorted());
});

test('every action is tried', () => {
  expect([...new Set(ROWS.map(([action]) => action))].toSorted()).toEqual(Object.keys(POLICY).toSorted());
});
