import { type SQL, sql } from 'drizzle-orm';

/*
 * The spec of a router (shared/specs/router.ts) as SQL over our rows. Names in these fragments: `runners` (who is told) and
 * `routers`.
 */

const truth = (condition: SQL) => sql`json(CASE WHEN ${condition} THEN 'true' ELSE 'false' END)`;

/** The device owner of the port that keeps a machine's own address on an external network. */
export const AGENT_GATEWAY = 'network:floatingip_agent_gateway';

const interfacesSql = sql`(SELECT json_group_array(json_object('network_id', p.network_id, 'subnet_id', a.subnet_id,
    'ip_address', a.ip_address) ORDER BY p.id, a.position)
  FROM ports p JOIN ip_allocations a ON a.port_id = p.id
  WHERE p.device_id = routers.id AND p.device_owner = 'network:router_interface')`;

const snatIpSql = sql`(SELECT a.ip_address FROM ports own JOIN ip_allocations a ON a.port_id = own.id
  WHERE own.device_id = runners.id AND own.device_owner = ${AGENT_GATEWAY} AND own.runner_id = runners.id
    AND own.network_id = g.network_id LIMIT 1)`;

const nextHopsSql = sql`(SELECT json_group_array(hop.ip) FROM (SELECT min(s.gateway_ip) AS ip
  FROM ip_allocations a JOIN subnets s ON s.id = a.subnet_id
  WHERE a.port_id = g.id AND s.gateway_ip IS NOT NULL GROUP BY s.ip_version) hop)`;

export const routerSpecSql = sql`json_object(
  'id', routers.id, 'admin_state_up', ${truth(sql`routers.admin_state_up`)},
  'interfaces', json(${interfacesSql}), 'routes', json(routers.routes),
  'gateway', json((SELECT json_object('network_id', g.network_id, 'enable_snat', ${truth(sql`routers.enable_snat`)},
      'snat_ip', ${snatIpSql}, 'next_hops', json(${nextHopsSql}))
    FROM ports g WHERE g.device_id = routers.id AND g.device_owner = 'network:router_gateway')))`;
