import type { Actor, ActorContext } from '../http/context.ts';
import { forbidden } from '../http/errors.ts';

/** What an action is done to. A member that is absent matches nobody. */
export interface Target {
  /** The user acted on, or whose token is. */
  userId?: string;
  userDomainId?: string;
  groupDomainId?: string;
  projectId?: string;
  projectDomainId?: string;
  /** The domain acted on; of a list: the domain it is limited to. */
  domainId?: string;
  roleName?: string;
  roleDomainId?: string;
  /** Who made a trust, and for whom. */
  trustorId?: string;
  trusteeId?: string;
  /** Of a limit: its project, and its domain or that of its project. */
  limitProjectId?: string;
  limitDomainId?: string;
}

type Rule = (actor: Actor, target: Target) => boolean;

const has =
  (role: string): Rule =>
  (actor) =>
    actor.roles.includes(role);
const all =
  (...rules: Rule[]): Rule =>
  (actor, target) =>
    rules.every((rule) => rule(actor, target));
const any =
  (...rules: Rule[]): Rule =>
  (actor, target) =>
    rules.some((rule) => rule(actor, target));
/** A token of this very domain. */
const inDomainOf =
  (member: 'userDomainId' | 'groupDomainId' | 'projectDomainId' | 'domainId'): Rule =>
  (actor, target) =>
    actor.domainId !== null && actor.domainId === target[member];

const anyone: Rule = () => true;
const admin = has('admin');
const systemReader = all(has('reader'), (actor) => actor.systemScope);
const self: Rule = (actor, target) => actor.userId === target.userId;
const ownProject: Rule = (actor, target) => actor.projectId !== null && actor.projectId === target.projectId;
const ownDomain: Rule = (actor, target) =>
  target.domainId !== undefined && [actor.domainId, actor.projectDomainId].includes(target.domainId);

const MANAGED_ROLES = ['manager', 'member', 'reader'];
const managedRole: Rule = (_, target) => target.roleName !== undefined && MANAGED_ROLES.includes(target.roleName);
const roleOfDomain: Rule = (actor, target) => !target.roleDomainId || target.roleDomainId === actor.domainId;
/** User (or group) and scope of a grant are both of the token's domain. */
const grantInDomain = all(
  any(inDomainOf('userDomainId'), inDomainOf('groupDomainId')),
  any(inDomainOf('projectDomainId'), inDomainOf('domainId')),
);

const readsUser = any(admin, systemReader, all(has('reader'), inDomainOf('userDomainId')), self);
const readsProject = any(admin, systemReader, all(has('reader'), inDomainOf('projectDomainId')), ownProject);
const readsDomainList = any(admin, systemReader, all(has('reader'), inDomainOf('domainId')));
const changesUser = any(admin, all(has('manager'), inDomainOf('userDomainId')));
const membershipInDomain = all(inDomainOf('userDomainId'), inDomainOf('groupDomainId'));
const readsGroup = any(admin, systemReader, all(has('reader'), inDomainOf('groupDomainId')));
const changesGroup = any(admin, all(has('manager'), inDomainOf('groupDomainId')));
const changesProject = any(admin, all(has('manager'), inDomainOf('projectDomainId')));
const changesGrant = any(admin, all(has('manager'), grantInDomain, managedRole));
const trustor: Rule = (actor, target) => actor.userId === target.trustorId;
const trustee: Rule = (actor, target) => actor.userId === target.trusteeId;
const systemAdmin = all(admin, (actor) => actor.systemScope);
const ownLimit: Rule = (actor, target) =>
  (target.limitDomainId !== undefined && actor.domainId === target.limitDomainId) ||
  (target.limitProjectId !== undefined && actor.projectId === target.limitProjectId);
const readsSystem = any(admin, systemReader);

/** Who may do what: Keystone's own defaults, rule for rule. `admin` is the role on any scope. */
export const POLICY = {
  'identity:validate_token': any(admin, systemReader, has('service'), self),
  'identity:check_token': any(admin, systemReader, self),
  'identity:revoke_token': any(admin, self),

  'identity:get_domain': any(admin, systemReader, ownDomain),
  'identity:list_domains': readsDomainList,
  'identity:create_domain': admin,
  'identity:update_domain': admin,
  'identity:delete_domain': admin,

  'identity:get_project': readsProject,
  'identity:list_projects': readsDomainList,
  'identity:list_user_projects': readsUser,
  'identity:create_project': changesProject,
  'identity:update_project': changesProject,
  'identity:delete_project': changesProject,
  'identity:list_project_tags': readsProject,
  'identity:get_project_tag': readsProject,
  'identity:update_project_tags': changesProject,
  'identity:create_project_tag': changesProject,
  'identity:delete_project_tag': changesProject,
  'identity:delete_project_tags': changesProject,

  'identity:get_user': readsUser,
  'identity:list_users': readsDomainList,
  'identity:create_user': changesUser,
  'identity:update_user': changesUser,
  'identity:delete_user': changesUser,

  'identity:get_group': readsGroup,
  'identity:list_groups': readsGroup,
  'identity:list_groups_for_user': readsUser,
  'identity:create_group': changesGroup,
  'identity:update_group': changesGroup,
  'identity:delete_group': changesGroup,
  'identity:list_users_in_group': readsGroup,
  'identity:check_user_in_group': any(admin, systemReader, all(has('reader'), membershipInDomain)),
  'identity:add_user_to_group': any(admin, all(has('manager'), membershipInDomain)),
  'identity:remove_user_from_group': any(admin, all(has('manager'), membershipInDomain)),

  'identity:get_application_credential': any(admin, systemReader, self),
  'identity:list_application_credentials': any(admin, systemReader, self),
  'identity:create_application_credential': self,
  'identity:delete_application_credential': any(admin, self),
  'identity:get_access_rule': any(systemReader, self),
  'identity:list_access_rules': any(systemReader, self),
  'identity:delete_access_rule': any(systemAdmin, self),
  'identity:create_trust': trustor,
  'identity:list_trusts': readsSystem,
  'identity:list_trusts_for_trustor': any(readsSystem, trustor),
  'identity:list_trusts_for_trustee': any(readsSystem, trustee),
  'identity:get_trust': any(readsSystem, trustor, trustee),
  'identity:list_roles_for_trust': any(readsSystem, trustor, trustee),
  'identity:get_role_for_trust': any(readsSystem, trustor, trustee),
  'identity:delete_trust': any(admin, trustor),

  'identity:get_credential': any(readsSystem, self),
  'identity:list_credentials': any(readsSystem, self),
  'identity:create_credential': any(admin, self),
  'identity:update_credential': any(admin, self),
  'identity:delete_credential': any(admin, self),
  'identity:ec2_get_credential': any(readsSystem, self),
  'identity:ec2_list_credentials': any(readsSystem, self),
  'identity:ec2_create_credential': any(admin, all(has('member'), self)),
  'identity:ec2_delete_credential': any(admin, all(has('member'), self)),
  'identity:ec2tokens_validate': any(admin, has('service')),
  'identity:s3tokens_validate': any(admin, has('service')),

  'identity:get_policy': readsSystem,
  'identity:list_policies': readsSystem,
  'identity:create_policy': admin,
  'identity:update_policy': admin,
  'identity:delete_policy': admin,
  'identity:get_consumer': readsSystem,
  'identity:list_consumers': readsSystem,
  'identity:create_consumer': admin,
  'identity:update_consumer': admin,
  'identity:delete_consumer': admin,
  'identity:get_registered_limit': anyone,
  'identity:list_registered_limits': anyone,
  'identity:create_registered_limits': admin,
  'identity:update_registered_limit': admin,
  'identity:delete_registered_limit': admin,
  'identity:get_limit_model': anyone,
  'identity:get_limit': any(readsSystem, ownLimit),
  'identity:list_limits': anyone,
  'identity:create_limits': admin,
  'identity:update_limit': admin,
  'identity:delete_limit': admin,
  'identity:get_domain_config': readsSystem,
  'identity:get_domain_config_default': readsSystem,
  'identity:create_domain_config': admin,
  'identity:update_domain_config': admin,
  'identity:delete_domain_config': admin,

  'identity:get_role': any(readsSystem, all(has('manager'), managedRole)),
  'identity:list_roles': any(
    readsSystem,
    all(has('manager'), (actor) => actor.domainId !== null),
  ),
  'identity:create_role': admin,
  'identity:update_role': admin,
  'identity:delete_role': admin,
  'identity:get_domain_role': readsSystem,
  'identity:list_domain_roles': readsSystem,
  'identity:create_domain_role': admin,
  'identity:update_domain_role': admin,
  'identity:delete_domain_role': admin,
  'identity:list_implied_roles': readsSystem,
  'identity:check_implied_role': readsSystem,
  'identity:create_implied_role': admin,
  'identity:delete_implied_role': admin,
  'identity:list_role_inference_rules': readsSystem,

  'identity:check_grant': any(readsSystem, all(has('reader'), grantInDomain, roleOfDomain)),
  'identity:list_grants': any(readsSystem, all(has('reader'), grantInDomain)),
  'identity:create_grant': changesGrant,
  'identity:revoke_grant': changesGrant,
  'identity:check_system_grant_for_user': readsSystem,
  'identity:list_system_grants_for_user': readsSystem,
  'identity:create_system_grant_for_user': admin,
  'identity:revoke_system_grant_for_user': admin,
  'identity:check_system_grant_for_group': readsSystem,
  'identity:list_system_grants_for_group': readsSystem,
  'identity:create_system_grant_for_group': admin,
  'identity:revoke_system_grant_for_group': admin,
  'identity:list_role_assignments': readsDomainList,
  'identity:list_role_assignments_for_tree': readsDomainList,

  'identity:get_service': readsSystem,
  'identity:list_services': readsSystem,
  'identity:create_service': admin,
  'identity:update_service': admin,
  'identity:delete_service': admin,
  'identity:get_endpoint': readsSystem,
  'identity:list_endpoints': readsSystem,
  'identity:create_endpoint': admin,
  'identity:update_endpoint': admin,
  'identity:delete_endpoint': admin,
  'identity:get_region': anyone,
  'identity:list_regions': anyone,
  'identity:create_region': admin,
  'identity:update_region': admin,
  'identity:delete_region': admin,
  'identity:get_endpoint_group': readsSystem,
  'identity:list_endpoint_groups': readsSystem,
  'identity:create_endpoint_group': admin,
  'identity:update_endpoint_group': admin,
  'identity:delete_endpoint_group': admin,
  'identity:list_projects_associated_with_endpoint_group': readsSystem,
  'identity:list_endpoints_associated_with_endpoint_group': readsSystem,
  'identity:get_endpoint_group_in_project': readsSystem,
  'identity:list_endpoint_groups_for_project': readsSystem,
  'identity:add_endpoint_group_to_project': admin,
  'identity:remove_endpoint_group_from_project': admin,
  'identity:list_projects_for_endpoint': readsSystem,
  'identity:check_endpoint_in_project': readsSystem,
  'identity:list_endpoints_for_project': readsSystem,
  'identity:add_endpoint_to_project': admin,
  'identity:remove_endpoint_from_project': admin,

  'identity:get_identity_provider': readsSystem,
  'identity:list_identity_providers': readsSystem,
  'identity:create_identity_provider': admin,
  'identity:update_identity_provider': admin,
  'identity:delete_identity_provider': admin,
  'identity:get_protocol': readsSystem,
  'identity:list_protocols': readsSystem,
  'identity:create_protocol': admin,
  'identity:update_protocol': admin,
  'identity:delete_protocol': admin,
  'identity:get_mapping': readsSystem,
  'identity:list_mappings': readsSystem,
  'identity:create_mapping': admin,
  'identity:update_mapping': admin,
  'identity:delete_mapping': admin,
  'identity:get_service_provider': readsSystem,
  'identity:list_service_providers': readsSystem,
  'identity:create_service_provider': admin,
  'identity:update_service_provider': admin,
  'identity:delete_service_provider': admin,
} as const satisfies Record<string, Rule>;

export type Action = keyof typeof POLICY;

/** Whether the actor may do this to the target. */
export const allows = (actor: Actor, action: Action, target: Target = {}): boolean => POLICY[action](actor, target);

/** @throws ApiError 403 with the action's name, as Keystone words it */
export function authorize(ctx: ActorContext, action: Action, target: Target = {}): void {
  if (!allows(ctx.actor, action, target)) {
    throw forbidden(`You are not authorized to perform the requested action: ${action}.`);
  }
}
