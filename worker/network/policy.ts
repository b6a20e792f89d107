import type { ActorContext } from '../http/context.ts';
import { forbidden } from '../http/errors.ts';
import { allows, type Policy, type Target } from '../http/policy.ts';

/**
 * Neutron's default rules. The target's project is the resource's own, except for the actions that say `network`: theirs is
 * the network's, since who owns a network decides what others may do on it. A rule's is its group's.
 */
const policy = {
  get_network: 'project-reader',
  create_network: 'project-member',
  'create_network:shared': 'admin',
  'create_network:router:external': 'admin',
  'create_network:provider': 'admin',
  /** Ours, as the next. */
  'create_network:multi_host': 'admin',
  'create_network:is_default': 'admin',
  'update_network:multi_host': 'admin',
  'update_network:is_default': 'admin',
  update_network: 'project-member',
  'update_network:shared': 'admin',
  'update_network:router:external': 'admin',
  delete_network: 'project-member',
  get_subnet: 'project-reader',
  /** network */
  create_subnet: 'project-member',
  /** network */
  update_subnet: 'project-member',
  /** network */
  delete_subnet: 'project-member',
  get_port: 'project-reader',
  create_port: 'project-member',
  /** network: a MAC, a fixed address, address pairs, `network:...` as device owner, or no port security */
  'create_port:network_owner': 'project-member',
  update_port: 'project-member',
  /** network */
  'update_port:network_owner': 'project-member',
  /** network */
  'update_port:mac_address': 'project-manager',
  delete_port: 'project-member',
  get_router: 'project-reader',
  create_router: 'project-member',
  'create_router:distributed': 'admin',
  'create_router:ha': 'admin',
  'create_router:external_gateway_info:enable_snat': 'admin',
  'create_router:external_gateway_info:external_fixed_ips': 'admin',
  update_router: 'project-member',
  'update_router:distributed': 'admin',
  'update_router:ha': 'admin',
  'update_router:external_gateway_info:enable_snat': 'admin',
  'update_router:external_gateway_info:external_fixed_ips': 'admin',
  delete_router: 'project-member',
  add_router_interface: 'project-member',
  /** network. Ours: hosts route what a network's guests send by all of its routers. */
  'add_router_interface:network_owner': 'project-member',
  remove_router_interface: 'project-member',
  add_extraroutes: 'project-member',
  remove_extraroutes: 'project-member',
  get_floatingip: 'project-reader',
  create_floatingip: 'project-member',
  'create_floatingip:floating_ip_address': 'admin',
  update_floatingip: 'project-member',
  delete_floatingip: 'project-member',
  /** of forwarded ports: the floating IP's */
  get_floatingip_port_forwarding: 'project-reader',
  create_floatingip_port_forwarding: 'project-member',
  update_floatingip_port_forwarding: 'project-member',
  delete_floatingip_port_forwarding: 'project-member',
  get_security_group: 'project-reader',
  create_security_group: 'project-member',
  update_security_group: 'project-member',
  delete_security_group: 'project-member',
  /** Neutron lets only an admin remove a default group. */
  'delete_security_group:default': 'admin',
  get_security_group_rule: 'project-reader',
  create_security_group_rule: 'project-member',
  delete_security_group_rule: 'project-member',
  get_rbac_policy: 'project-reader',
  create_rbac_policy: 'project-member',
  'create_rbac_policy:wildcard': 'admin',
  update_rbac_policy: 'project-member',
  'update_rbac_policy:wildcard': 'admin',
  delete_rbac_policy: 'project-member',
  get_address_scope: 'project-reader',
  create_address_scope: 'project-member',
  'create_address_scope:shared': 'admin',
  update_address_scope: 'project-member',
  'update_address_scope:shared': 'admin',
  delete_address_scope: 'project-member',
  get_subnetpool: 'project-reader',
  create_subnetpool: 'project-member',
  'create_subnetpool:shared': 'admin',
  'create_subnetpool:is_default': 'admin',
  update_subnetpool: 'project-member',
  'update_subnetpool:is_default': 'admin',
  delete_subnetpool: 'project-member',
  add_prefixes: 'project-member',
  remove_prefixes: 'project-member',
  onboard_network_subnets: 'project-member',
  get_address_group: 'project-reader',
  create_address_group: 'project-member',
  update_address_group: 'project-member',
  delete_address_group: 'project-member',
  get_policy: 'project-reader',
  create_policy: 'admin',
  update_policy: 'admin',
  delete_policy: 'admin',
  /** of any type */
  create_policy_rule: 'admin',
  update_policy_rule: 'admin',
  delete_policy_rule: 'admin',
  get_rule_type: 'authenticated',
  'get_rule_type:details': 'admin',
  /** Where there is none it is made, which takes `create_network`, too. */
  get_auto_allocated_topology: 'project-reader',
  delete_auto_allocated_topology: 'project-member',
  /** who may not see them sees an empty list */
  get_agent: 'admin',
  update_agent: 'admin',
  delete_agent: 'admin',
  get_availability_zone: 'authenticated',
  get_network_ip_availability: 'admin',
  /** Ours: on how many machines an object is in force. */
  get_applied: 'project-reader',
  get_quota: 'project-reader',
  /** of all projects */
  get_quotas: 'admin',
  update_quota: 'admin',
  delete_quota: 'admin',
} as const satisfies Policy<string>;
export type NetworkAction = keyof typeof policy;

/** Whether the actor may do it. */
export const may = (ctx: ActorContext, action: NetworkAction, target: Target = {}): boolean =>
  allows(ctx, policy[action], target);

/** @throws ApiError 403 in Neutron's words */
export function enforce(ctx: ActorContext, action: NetworkAction, target: Target = {}): void {
  if (!may(ctx, action, target)) throw forbidden(`rule:${action} is disallowed by policy`, 'PolicyNotAuthorized');
}
