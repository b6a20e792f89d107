import { type SQL, sql } from 'drizzle-orm';
import { qosSql } from '../desired/specs.ts';

/*
 * The specs of floating IPs and forwarded ports (shared/specs/router.ts) as SQL over our rows. Names in these fragments:
 * `runners` (who is told), `floating_ips` with `ports` (the guest's), `port_forwardings`, and `holder`, the machine that has a
 * shared address.
 */

const truth = (condition: SQL) => sql`json(CASE WHEN ${condition} THEN 'true' ELSE 'false' END)`;

const qosOfAddress = sql`json(${qosSql(sql`floating_ips.qos_policy_id`)})`;

export const floatingIpSpecSql = sql`json_object(
  'id', floating_ips.id, 'floating_ip_address', floating_ips.floating_ip_address,
  'external_network_id', floating_ips.floating_network_id, 'router_id', floating_ips.router_id,
  'port_id', floating_ips.port_id, 'network_id', ports.network_id,
  'fixed_ip_address', floating_ips.fixed_ip_address, 'qos', ${qosOfAddress})`;

const portRange = (first: SQL, last: SQL) =>
  sql`json(CASE WHEN ${first} IS NULL THEN 'null' ELSE json_array(${first}, ${last}) END)`;

export const portForwardingSpecSql = sql`json_object(
  'id', port_forwardings.id, 'floating_ip_id', floating_ips.id,
  'floating_ip_address', floating_ips.floating_ip_address, 'external_network_id', floating_ips.floating_network_id,
  'router_id', floating_ips.router_id, 'protocol', port_forwardings.protocol,
  'external_ports', ${portRange(sql`port_forwardings.external_first`, sql`port_forwardings.external_last`)},
  'internal_ports', ${portRange(sql`port_forwardings.internal_first`, sql`port_forwardings.internal_last`)},
  'port_id', ports.id, 'network_id', ports.network_id, 'mac_address', ports.mac_address,
  'internal_ip_address', port_forwardings.internal_ip_address,
  'holder', ${truth(sql`holder.id = runners.id`)},
  'holder_tunnel_ip', (SELECT holder.tunnel_ip FROM networks n WHERE n.id = ports.network_id AND n.network_type = 'vxlan'),
  'qos', ${qosOfAddress})`;
