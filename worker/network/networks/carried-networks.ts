import { type SQL, sql } from 'drizzle-orm';
import type { Statement } from '../../http/commit.ts';
import type { Context } from '../../http/context.ts';

/** A network, as far as it matters to where its guests can be. */
export interface CarriedNetwork {
  id: string;
  type: 'local' | 'vxlan' | 'vlan' | 'flat';
  physicalNetwork: string | null;
  /** A host without a tunnel address that has guests of it already: no other can reach them. */
  alone: string | null;
  /** Whether any host has guests of it. */
  used: 0 | 1;
}

/**
 * Reads what carries some networks; rows are `CarriedNetwork`s.
 * @param ids - of the networks, as SQL for `IN (...)`
 * @param but - the device whose own ports do not count: it is about to move
 */
export function readCarried(ctx: Context, ids: SQL, but: string): Statement {
  const served = sql`p.network_id = networks.id AND p.device_id <> ${but}`;
  return ctx.db.all(sql`
    SELECT networks.id, networks.network_type AS type, networks.physical_network AS physicalNetwork,
      (SELECT r.id FROM runners r WHERE r.region = ${ctx.region} AND r.tunnel_ip IS NULL AND networks.network_type = 'vxlan'
        AND EXISTS (SELECT 1 FROM ports p WHERE ${served} AND p.runner_id = r.id) LIMIT 1) AS alone,
      EXISTS (SELECT 1 FROM ports p WHERE ${served} AND p.runner_id IS NOT NULL) AS used
    FROM networks WHERE networks.id IN (${ids})`);
}
