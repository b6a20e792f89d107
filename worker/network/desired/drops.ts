import { type SQL, sql } from 'drizzle-orm';
import type { Database } from '../../../db/client.ts';
import { dropDesired } from '../../fleet/desired.ts';
import type { Statement } from '../../http/commit.ts';
import { knowingAddressesOf } from '../edge/floating-ips-on.ts';
import { dropRouters } from '../edge/routers-on.ts';
import { dropNeighbors, dropNeighborsOfGone, joinedNetworks } from './neighbors.ts';

/*
 * Statements that take from runners what no port there needs any more. As with puts: the rows they read are written
 * before, and `touches` covers the runners.
 */

/** Length of a group's id, with which a member's object id begins. */
const ID_LENGTH = 36;

/** Holds for a member whose group some security group of its runner still refers to. */
const memberNeeded = sql`EXISTS (SELECT 1 FROM security_group_rules rule
  JOIN desired holder ON holder.runner_id = desired.runner_id AND holder.kind = 'security-group'
    AND holder.id = rule.group_id AND holder.deleted = 0
  WHERE rule.remote_group_id = substr(desired.id, 1, ${sql.raw(String(ID_LENGTH))}))`;

/** Members of a group that nothing refers to any more on the runners that hold another group, which did. */
export function dropUnneededMembers(db: Database, groupId: string, holderId: string): Statement {
  return dropDesired(
    db,
    'group-member',
    sql`desired.id >= ${`${groupId}:`} AND desired.id < ${`${groupId};`} AND NOT ${memberNeeded}
      AND desired.runner_id IN (SELECT held.runner_id FROM desired held
        WHERE held.kind = 'security-group' AND held.id = ${holderId} AND held.deleted = 0)`,
  );
}

/** Address groups that no security group of their runner refers to any more. @param where - a condition on `desired` */
export function dropUnneededAddressGroups(db: Database, where: SQL): Statement {
  return dropDesired(
    db,
    'address-group',
    sql`${where} AND NOT EXISTS (SELECT 1 FROM security_group_rules rule
      JOIN desired holder ON holder.runner_id = desired.runner_id AND holder.kind = 'security-group'
        AND holder.id = rule.group_id AND holder.deleted = 0
      WHERE rule.remote_address_group_id = desired.id)`,
  );
}

/** Holds for what is on the runners that hold a security group, or whose tombstone of it is not buried. */
export const besideGroup = (groupId: string): SQL =>
  sql`desired.runner_id IN (SELECT beside.runner_id FROM desired beside WHERE beside.kind = 'security-group' AND beside.id = ${groupId})`;

/** Members that only the security groups dropped earlier in this batch needed. Their rules must still be there. */
export function dropMembersOfDropped(db: Database): Statement {
  return dropDesired(
    db,
    'group-member',
    sql`desired.rowid IN (SELECT member.rowid FROM desired dropped
      JOIN runners ON runners.id = dropped.runner_id AND runners.generation = dropped.generation
      JOIN security_group_rules rule ON rule.group_id = dropped.id
      JOIN desired member ON member.runner_id = dropped.runner_id AND member.kind = 'group-member'
        AND member.id >= rule.remote_group_id || ':' AND member.id < rule.remote_group_id || ';'
      WHERE dropped.kind = 'security-group' AND dropped.deleted = 1) AND NOT ${memberNeeded}`,
  );
}

/**
 * The networks, security groups, members and address groups of a runner that none of its ports needs.
 * @param gonePortId - a port that the runner no longer has, though its tombstone may still be there
 * @param when - holds where the runner was touched
 */
export function dropUnneeded(db: Database, runnerId: string, gonePortId = '', when: SQL = sql`1`): Statement[] {
  const here = sql`desired.runner_id = ${runnerId} AND ${when}`;
  const portsHere = (rest: SQL) => sql`NOT EXISTS (SELECT 1 FROM desired port
    ${rest} WHERE port.runner_id = ${runnerId} AND port.kind = 'port' AND (port.deleted = 0 OR port.id <> ${gonePortId}))`;
  const networksHere = sql`SELECT ports.network_id FROM desired port JOIN ports ON ports.id = port.id
    WHERE port.runner_id = ${runnerId} AND port.kind = 'port' AND (port.deleted = 0 OR port.id <> ${gonePortId})`;
  return [
    dropDesired(db, 'network', sql`${here} AND desired.id NOT IN (${joinedNetworks(networksHere)})`),
    dropNeighborsOfGone(db, here),
    ...dropRouters(db, sql`runners.id = ${runnerId} AND ${when}`),
    dropDesired(
      db,
      'security-group',
      sql`${here} AND ${portsHere(sql`JOIN port_security_groups used ON used.port_id = port.id AND used.group_id = desired.id`)}`,
    ),
    dropMembersOfDropped(db),
    dropUnneededAddressGroups(db, here),
  ];
}

/** A port's memberships, on every runner. @param memberIds - their object ids, as SQL for `IN (...)` */
export const dropMembers = (db: Database, memberIds: SQL): Statement =>
  dropDesired(db, 'group-member', sql`desired.id IN (${memberIds})`);

/** What other machines know of ports: their memberships, and where frames for them go. @param portIds - as SQL for `IN (...)` */
export const forgetPorts = (db: Database, portIds: SQL): Statement[] => [
  dropMembers(db, memberIdsOf(portIds)),
  dropNeighbors(db, portIds),
];

/** The runners that know of ports which they need not serve. @param portIds - as SQL for `IN (...)` */
export const runnersKnowing = (portIds: SQL): SQL =>
  sql`(${runnersWith('group-member', memberIdsOf(portIds))} OR ${runnersWith('neighbor', portIds)} OR ${knowingAddressesOf(portIds)})`;

/** The runners that have any of these objects. @param ids - as SQL for `IN (...)` */
export const runnersWith = (kind: 'port' | 'group-member' | 'neighbor' | 'floating-ip', ids: SQL): SQL =>
  sql`runners.id IN (SELECT held.runner_id FROM desired held WHERE held.kind = ${kind} AND held.deleted = 0 AND held.id IN (${ids}))`;

/** The member ids of ports in their present groups. @param portIds - as SQL for `IN (...)` */
export const memberIdsOf = (portIds: SQL): SQL =>
  sql`SELECT used.group_id || ':' || used.port_id FROM port_security_groups used WHERE used.port_id IN (${portIds})`;
