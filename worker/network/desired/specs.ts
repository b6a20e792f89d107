import { type SQL, sql } from 'drizzle-orm';
import type { QosRule } from '../qos/qos-rows.ts';
import { protocolNumberSql } from '../security-groups/protocols.ts';

/*
 * The specs of shared/specs/network.ts as SQL over our rows, so that a spec is of the rows as they are when the batch
 * runs, not as they were when a request read them. Names of tables in these fragments: `networks`, `ports`,
 * `security_groups`, `address_groups`, and for members `port_security_groups` joined with `ports`.
 */

const truth = (condition: SQL) => sql`json(CASE WHEN ${condition} THEN 'true' ELSE 'false' END)`;

const segmentSql = sql`CASE networks.network_type
  WHEN 'vxlan' THEN json_object('type', 'vxlan', 'id', networks.segmentation_id)
  WHEN 'vlan' THEN json_object('type', 'vlan', 'id', networks.segmentation_id, 'physical_network', networks.physical_network)
  WHEN 'flat' THEN json_object('type', 'flat', 'physical_network', networks.physical_network)
  ELSE json_object('type', 'local') END`;

export const networkSpecSql = sql`json_object(
  'id', networks.id, 'mtu', networks.mtu, 'segment', ${segmentSql},
  'external', ${truth(sql`networks.external`)}, 'snat', ${truth(sql`networks.multi_host`)},
  'host_access', ${truth(sql`networks.shared`)},
  'subnets', (SELECT json_group_array(json_object(
      'id', s.id, 'ip_version', s.ip_version, 'cidr', s.cidr, 'gateway_ip', s.gateway_ip,
      'enable_dhcp', ${truth(sql`s.enable_dhcp`)}, 'dns_nameservers', json(s.dns_nameservers),
      'host_routes', json(s.host_routes), 'ipv6_ra_mode', s.ipv6_ra_mode, 'ipv6_address_mode', s.ipv6_address_mode) ORDER BY s.created_at_ms, s.id)
    FROM subnets s WHERE s.network_id = networks.id))`;

const qosRule = (type: QosRule['type'], direction: QosRule['direction'], column: SQL) =>
  sql`max(CASE WHEN r.type = ${sql.raw(`'${type}'`)} AND r.direction = ${sql.raw(`'${direction}'`)} THEN ${column} END)`;

/** What the rules of a policy say, null without any. @param policyId - as SQL; no rate and a rate of 0 are no limit */
export const qosSql = (policyId: SQL): SQL => sql`(SELECT json_object(
  'egress_kbps', nullif(${qosRule('bandwidth_limit', 'egress', sql`r.max_kbps`)}, 0),
  'egress_burst_kbits', nullif(${qosRule('bandwidth_limit', 'egress', sql`r.max_burst_kbits`)}, 0),
  'ingress_kbps', nullif(${qosRule('bandwidth_limit', 'ingress', sql`r.max_kbps`)}, 0),
  'ingress_burst_kbits', nullif(${qosRule('bandwidth_limit', 'ingress', sql`r.max_burst_kbits`)}, 0),
  'dscp_mark', ${qosRule('dscp_marking', 'egress', sql`r.dscp_mark`)})
  FROM qos_rules r WHERE r.policy_id = ${policyId} GROUP BY r.policy_id)`;

/** The pairs of a port; hosts take ranges alone, of one address too. */
const addressPairsSql = sql`(SELECT json_group_array(json_object('mac_address', pair.value ->> '$.mac_address',
    'ip_address', pair.value ->> '$.ip_address' || CASE WHEN instr(pair.value ->> '$.ip_address', '/') > 0 THEN ''
      WHEN instr(pair.value ->> '$.ip_address', ':') > 0 THEN '/128' ELSE '/32' END) ORDER BY pair.key)
  FROM json_each(ports.allowed_address_pairs) pair)`;

export const portSpecSql = sql`json_object(
  'id', ports.id, 'network_id', ports.network_id, 'project_id', ports.project_id, 'server_id', nullif(ports.device_id, ''),
  'mac_address', ports.mac_address,
  'fixed_ips', (SELECT json_group_array(json_object('subnet_id', a.subnet_id, 'ip_address', a.ip_address) ORDER BY a.position)
    FROM ip_allocations a WHERE a.port_id = ports.id),
  'hostname', nullif(ports.dns_name, ''),
  'admin_state_up', ${truth(sql`ports.admin_state_up`)},
  'port_security_enabled', ${truth(sql`ports.port_security_enabled`)},
  'security_groups', (SELECT json_group_array(g.group_id ORDER BY g.group_id)
    FROM port_security_groups g WHERE g.port_id = ports.id),
  'mtu', (SELECT networks.mtu FROM networks WHERE networks.id = ports.network_id),
  'allowed_address_pairs', ${addressPairsSql}, 'extra_dhcp_opts', json(ports.extra_dhcp_opts),
  'qos', ${qosSql(sql`coalesce(ports.qos_policy_id, (SELECT networks.qos_policy_id FROM networks WHERE networks.id = ports.network_id))`)})`;

export const securityGroupSpecSql = sql`json_object(
  'id', security_groups.id, 'stateful', ${truth(sql`security_groups.stateful`)},
  'rules', (SELECT json_group_array(json_object(
      'id', r.id, 'direction', r.direction, 'ethertype', r.ethertype, 'protocol', ${protocolNumberSql(sql`r.protocol`)},
      'port_range_min', r.port_range_min, 'port_range_max', r.port_range_max,
      'remote_ip_prefix', r.remote_ip_prefix, 'remote_group_id', r.remote_group_id,
      'remote_address_group_id', r.remote_address_group_id) ORDER BY r.id)
    FROM security_group_rules r WHERE r.group_id = security_groups.id))`;

export const addressGroupSpecSql = sql`json_object('id', address_groups.id, 'addresses', json(address_groups.addresses))`;

export const memberIdSql = sql`port_security_groups.group_id || ':' || port_security_groups.port_id`;

export const memberSpecSql = sql`json_object(
  'group_id', port_security_groups.group_id, 'port_id', port_security_groups.port_id,
  'addresses', (SELECT json_group_array(address) FROM (
    SELECT a.ip_address AS address FROM ip_allocations a WHERE a.port_id = port_security_groups.port_id
    UNION SELECT pair.value ->> '$.ip_address' FROM ports p, json_each(p.allowed_address_pairs) pair
      WHERE p.id = port_security_groups.port_id AND instr(pair.value ->> '$.ip_address', '/') = 0
    ORDER BY address)))`;
