import { type SQL, sql } from 'drizzle-orm';
import type { ApiError } from '../../http/errors.ts';
import {
  addressGroupNotFound,
  addressScopeNotFound,
  networkNotFound,
  qosPolicyNotFound,
  securityGroupNotFound,
  subnetpoolNotFound,
} from '../faults.ts';
import type { ObjectType, PolicyAction } from './shared-with.ts';

/** A kind of thing that policies are about. */
interface ObjectKind {
  /** Its table, which has `id`, `region` and `project_id`. */
  table: string;
  actions: readonly PolicyAction[];
  notFound: (id: string) => ApiError;
  /** The projects that rely on having access, as a select of `project_id`, by what a policy lets them do. */
  users: (id: string, action: PolicyAction) => SQL;
}

const SHARED = ['access_as_shared'] as const;

export const OBJECTS: Readonly<Record<ObjectType, ObjectKind>> = {
  network: {
    table: 'networks',
    actions: ['access_as_shared', 'access_as_external'],
    notFound: networkNotFound,
    users: (id, action) =>
      action === 'access_as_shared'
        ? sql`SELECT project_id FROM ports WHERE network_id = ${id} UNION SELECT project_id FROM subnets WHERE network_id = ${id}`
        : sql`SELECT r.project_id FROM ports g JOIN routers r ON r.id = g.device_id
            WHERE g.network_id = ${id} AND g.device_owner = 'network:router_gateway'
            UNION SELECT project_id FROM floating_ips WHERE floating_network_id = ${id}`,
  },
  security_group: {
    table: 'security_groups',
    actions: SHARED,
    notFound: securityGroupNotFound,
    users: (id) =>
      sql`SELECT ports.project_id FROM ports JOIN port_security_groups used ON used.port_id = ports.id WHERE used.group_id = ${id}`,
  },
  address_scope: {
    table: 'address_scopes',
    actions: SHARED,
    notFound: addressScopeNotFound,
    users: (id) => sql`SELECT project_id FROM subnetpools WHERE address_scope_id = ${id}`,
  },
  subnetpool: {
    table: 'subnetpools',
    actions: SHARED,
    notFound: subnetpoolNotFound,
    users: (id) => sql`SELECT project_id FROM subnets WHERE subnetpool_id = ${id}`,
  },
  address_group: {
    table: 'address_groups',
    actions: SHARED,
    notFound: addressGroupNotFound,
    users: (id) => sql`SELECT project_id FROM security_group_rules WHERE remote_address_group_id = ${id}`,
  },
  qos_policy: {
    table: 'qos_policies',
    actions: SHARED,
    notFound: qosPolicyNotFound,
    users: (id) =>
      sql`SELECT project_id FROM networks WHERE qos_policy_id = ${id} UNION SELECT project_id FROM ports WHERE qos_policy_id = ${id}
        UNION SELECT project_id FROM floating_ips WHERE qos_policy_id = ${id}`,
  },
};
