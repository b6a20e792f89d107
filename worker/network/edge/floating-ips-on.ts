import { type SQL, sql } from 'drizzle-orm';
import type { Database } from '../../../db/client.ts';
import { dropDesired } from '../../fleet/desired.ts';
import type { Statement } from '../../http/commit.ts';
import type { Context } from '../../http/context.ts';
import { upsert } from '../desired/puts.ts';
import { floatingIpSpecSql, portForwardingSpecSql } from './floating-specs.ts';

/*
 * A floating IP is held by the machine that serves its port. One whose ports are forwarded is held by one of the machines of
 * its guests, which keeps it while it serves any of them; the forwarded ports are known there and to the machine of each guest.
 */

/** Brings machines in line with floating IPs and with whose they are. @param ids - as SQL for `IN (...)` */
export function placeFloatingIps(db: Database, ids: SQL): Statement[] {
  const served = sql`JOIN desired tap ON tap.runner_id = ports.runner_id AND tap.kind = 'port' AND tap.id = ports.id AND tap.deleted = 0`;
  return [
    db.run(
      upsert(sql`SELECT runners.id, 'floating-ip', floating_ips.id, runners.generation, ${floatingIpSpecSql}, 0
        FROM floating_ips JOIN ports ON ports.id = floating_ips.port_id ${served}
        JOIN runners ON runners.id = ports.runner_id WHERE floating_ips.id IN (${ids})`),
    ),
    dropDesired(
      db,
      'floating-ip',
      sql`desired.id IN (${ids}) AND NOT EXISTS (SELECT 1 FROM floating_ips f JOIN ports ON ports.id = f.port_id ${served}
        WHERE f.id = desired.id AND ports.runner_id = desired.runner_id)`,
    ),
    db.run(sql`UPDATE floating_ips SET status = 'DOWN' WHERE id IN (${ids}) AND status <> 'DOWN' AND port_id IS NOT NULL
      AND NOT EXISTS (SELECT 1 FROM desired d WHERE d.kind = 'floating-ip' AND d.id = floating_ips.id AND d.deleted = 0)`),
  ];
}

/**
 * Brings machines in line with the forwarded ports of floating IPs, and chooses who holds those.
 * @param ids - of floating IPs, as SQL for `IN (...)`
 * @param except - ids of guests' ports that are about to go, as SQL for `IN (...)`
 */
export function placeForwards(db: Database, ids: SQL, except: SQL = sql`NULL`): Statement[] {
  const going = sql`coalesce(p.id IN (${except}), 0)`;
  return [
    db.run(sql`UPDATE floating_ips SET holder_id = (SELECT host.id FROM (
          SELECT p.runner_id AS id, p.runner_id IS floating_ips.holder_id AS kept
          FROM port_forwardings f JOIN ports p ON p.id = f.port_id
          WHERE f.floating_ip_id = floating_ips.id AND p.runner_id IS NOT NULL AND NOT ${going}) host
        ORDER BY host.kept DESC, host.id LIMIT 1)
      WHERE id IN (${ids})`),
    db.run(
      upsert(sql`SELECT runners.id, 'port-forwarding', port_forwardings.id, runners.generation, ${portForwardingSpecSql}, 0
        FROM port_forwardings JOIN floating_ips ON floating_ips.id = port_forwardings.floating_ip_id
        JOIN ports ON ports.id = port_forwardings.port_id JOIN ports p ON p.id = ports.id
        JOIN runners holder ON holder.id = floating_ips.holder_id
        JOIN runners ON runners.id IN (holder.id, ports.runner_id)
        WHERE floating_ips.id IN (${ids}) AND ports.runner_id IS NOT NULL AND NOT ${going}`),
    ),
    dropDesired(
      db,
      'port-forwarding',
      sql`desired.id IN (SELECT pf.id FROM port_forwardings pf WHERE pf.floating_ip_id IN (${ids}))
        AND NOT EXISTS (SELECT 1 FROM port_forwardings pf JOIN floating_ips f ON f.id = pf.floating_ip_id JOIN ports p ON p.id = pf.port_id
          WHERE pf.id = desired.id AND p.runner_id IS NOT NULL AND NOT ${going} AND desired.runner_id IN (f.holder_id, p.runner_id))`,
    ),
    db.run(
      sql`UPDATE floating_ips SET status = 'DOWN' WHERE id IN (${ids}) AND status <> 'DOWN' AND port_id IS NULL AND holder_id IS NULL`,
    ),
  ];
}

/** Brings machines in line with floating IPs, whether they lead to one guest or are shared. @param ids - as SQL for `IN (...)` */
export const placeAddresses = (db: Database, ids: SQL): Statement[] => [
  ...placeFloatingIps(db, ids),
  ...placeForwards(db, ids),
];

const ofPorts = (portIds: SQL) => sql`SELECT f.id FROM floating_ips f WHERE f.port_id IN (${portIds})`;
const forwardsTo = (portIds: SQL) =>
  sql`SELECT pf.floating_ip_id FROM port_forwardings pf WHERE pf.port_id IN (${portIds})`;

/** Brings machines in line with the floating addresses of ports that came, moved or lost their host. @param portIds - as SQL for `IN (...)` */
export const placeAddressesOf = (db: Database, portIds: SQL): Statement[] => [
  ...placeFloatingIps(db, ofPorts(portIds)),
  ...placeForwards(db, forwardsTo(portIds)),
];

/** What machines hold for floating IPs of ports that stay with nobody for now. @param portIds - as SQL for `IN (...)` */
export const dropAddressesOf = (db: Database, portIds: SQL): Statement[] => placeFloatingIps(db, ofPorts(portIds));

/** Takes from machines what they hold for the addresses of ports that are about to lose their host. @param portIds - as SQL for `IN (...)` */
export const leaveAddresses = (db: Database, portIds: SQL): Statement[] => [
  dropDesired(db, 'floating-ip', sql`desired.id IN (${ofPorts(portIds)})`),
  db.run(sql`UPDATE floating_ips SET status = 'DOWN' WHERE port_id IN (${portIds}) AND status <> 'DOWN'`),
  ...placeForwards(db, forwardsTo(portIds), portIds),
];

/** The machines that `placeAddressesOf` may change, those that serve the ports from now on aside. @param portIds - as SQL for `IN (...)` */
export const knowingAddressesOf = (portIds: SQL): SQL => sql`(runners.id IN (
    SELECT d.runner_id FROM floating_ips f JOIN desired d ON d.kind = 'floating-ip' AND d.id = f.id AND d.deleted = 0 WHERE f.port_id IN (${portIds}))
  OR ${knowingForwards(forwardsTo(portIds))})`;

/** The machines of the guests of floating IPs whose ports are forwarded. @param ids - of floating IPs, as SQL for `IN (...)` */
export const knowingForwards = (ids: SQL): SQL => sql`runners.id IN (SELECT p.runner_id FROM port_forwardings pf
  JOIN ports p ON p.id = pf.port_id WHERE pf.floating_ip_id IN (${ids}))`;

/** Takes floating IPs and forwarded ports from ports that are about to be deleted. @param portIds - as SQL for `IN (...)` */
export function loseAddresses(ctx: Context, portIds: SQL): Statement[] {
  const now = ctx.clock.nowMs();
  const { db } = ctx;
  const forwarded = forwardsTo(portIds);
  return [
    ...placeForwards(db, forwarded, portIds),
    db.run(sql`UPDATE floating_ips SET router_id = NULL, status = 'DOWN', revision = revision + 1, updated_at_ms = ${now}
      WHERE id IN (${forwarded}) AND NOT EXISTS (SELECT 1 FROM port_forwardings rest
        WHERE rest.floating_ip_id = floating_ips.id AND rest.port_id NOT IN (${portIds}))`),
    db.run(sql`DELETE FROM port_forwardings WHERE port_id IN (${portIds})`),
    dropDesired(db, 'floating-ip', sql`desired.id IN (${ofPorts(portIds)})`),
    db.run(sql`UPDATE floating_ips SET port_id = NULL, fixed_ip_address = NULL, router_id = NULL, status = 'DOWN',
      revision = revision + 1, updated_at_ms = ${now} WHERE port_id IN (${portIds})`),
  ];
}

/** Takes floating IPs and forwarded ports from addresses that a port has no more; for after its addresses are written. */
export function loseOldAddresses(ctx: Context, portId: string): Statement[] {
  const now = ctx.clock.nowMs();
  const { db } = ctx;
  const kept = sql`SELECT a.ip_address FROM ip_allocations a WHERE a.port_id = ${portId}`;
  const led = sql`port_id = ${portId} AND fixed_ip_address NOT IN (${kept})`;
  const forwarded = sql`port_id = ${portId} AND internal_ip_address NOT IN (${kept})`;
  return [
    dropDesired(db, 'floating-ip', sql`desired.id IN (SELECT id FROM floating_ips WHERE ${led})`),
    db.run(sql`UPDATE floating_ips SET port_id = NULL, fixed_ip_address = NULL, router_id = NULL, status = 'DOWN',
      revision = revision + 1, updated_at_ms = ${now} WHERE ${led}`),
    dropDesired(db, 'port-forwarding', sql`desired.id IN (SELECT id FROM port_forwardings WHERE ${forwarded})`),
    db.run(sql`UPDATE floating_ips SET router_id = NULL, holder_id = NULL, status = 'DOWN', revision = revision + 1, updated_at_ms = ${now}
      WHERE id IN (SELECT floating_ip_id FROM port_forwardings WHERE ${forwarded})
        AND NOT EXISTS (SELECT 1 FROM port_forwardings rest WHERE rest.floating_ip_id = floating_ips.id
          AND NOT (rest.port_id = ${portId} AND rest.internal_ip_address NOT IN (${kept})))`),
    db.run(sql`DELETE FROM port_forwardings WHERE ${forwarded}`),
  ];
}
