import { type SQL, sql } from 'drizzle-orm';
import type { Database } from '../../../db/client.ts';
import type { Kind } from '../../../shared/specs/kinds.ts';
import type { Statement } from '../../http/commit.ts';
import {
  addressGroupSpecSql,
  memberIdSql,
  memberSpecSql,
  networkSpecSql,
  portSpecSql,
  securityGroupSpecSql,
} from './specs.ts';

/*
 * Statements that bring runners' desired state in line with our rows. Each belongs into a batch after the rows it reads
 * are written, and whose `touches` covers every runner it may change. What a runner has already is left alone, so
 * its generation there stays.
 */

/** An object is written where it is missing, gone, or another. */
export const upsert = (source: SQL) => sql`
  INSERT INTO desired (runner_id, kind, id, generation, spec, deleted) ${source}
  ON CONFLICT (runner_id, kind, id) DO UPDATE SET generation = excluded.generation, spec = excluded.spec, deleted = 0
  WHERE desired.deleted = 1 OR desired.spec IS NOT excluded.spec`;

const columns = (kind: Kind, id: SQL, spec: SQL) => sql`runners.id, ${kind}, ${id}, runners.generation, ${spec}, 0`;

/** Wants networks on runners. @param where - a condition on `networks` and `runners` */
export function putNetworks(db: Database, where: SQL): Statement {
  return db.run(
    upsert(sql`SELECT ${columns('network', sql`networks.id`, networkSpecSql)} FROM networks, runners WHERE ${where}`),
  );
}

/** Wants security groups on runners. @param where - a condition on `security_groups` and `runners` */
export function putSecurityGroups(db: Database, where: SQL): Statement {
  return db.run(
    upsert(sql`SELECT ${columns('security-group', sql`security_groups.id`, securityGroupSpecSql)}
      FROM security_groups, runners WHERE ${where}`),
  );
}

/**
 * Wants ports on the runners that serve them.
 * @param where - a condition on `ports`
 * @param runnerId - another runner, that is to serve them
 */
export function putPorts(db: Database, where: SQL, runnerId: string | SQL = sql`ports.runner_id`): Statement {
  return db.run(
    upsert(sql`SELECT ${columns('port', sql`ports.id`, portSpecSql)}
      FROM ports JOIN runners ON runners.id = ${runnerId} WHERE ${where}`),
  );
}

/**
 * Wants members of groups on every runner that holds a security group with a rule about that group. Only ports with a
 * host are members: others send nothing.
 * @param where - a condition on `holder` (the desired security group), `runners`, `port_security_groups` and `ports`
 */
export function putGroupMembers(db: Database, where: SQL): Statement {
  return db.run(
    upsert(sql`SELECT DISTINCT ${columns('group-member', memberIdSql, memberSpecSql)}
      FROM port_security_groups
      JOIN ports ON ports.id = port_security_groups.port_id AND ports.runner_id IS NOT NULL
      JOIN security_group_rules rule ON rule.remote_group_id = port_security_groups.group_id
      JOIN desired holder ON holder.kind = 'security-group' AND holder.id = rule.group_id AND holder.deleted = 0
      JOIN runners ON runners.id = holder.runner_id
      WHERE ${where}`),
  );
}

/**
 * Wants address groups on every runner that holds a security group with a rule about them.
 * @param where - a condition on `address_groups`, `holder` (the desired security group) and `runners`
 */
export function putAddressGroups(db: Database, where: SQL): Statement {
  return db.run(
    upsert(sql`SELECT DISTINCT ${columns('address-group', sql`address_groups.id`, addressGroupSpecSql)}
      FROM address_groups
      JOIN security_group_rules rule ON rule.remote_address_group_id = address_groups.id
      JOIN desired holder ON holder.kind = 'security-group' AND holder.id = rule.group_id AND holder.deleted = 0
      JOIN runners ON runners.id = holder.runner_id
      WHERE ${where}`),
  );
}

/** Holds for a runner that must know the members of any of these groups. @param groups - a list of ids in SQL */
export function knowsMembersOf(groups: SQL): SQL {
  return sql`runners.id IN (SELECT holder.runner_id FROM security_group_rules rule
    JOIN desired holder ON holder.kind = 'security-group' AND holder.id = rule.group_id AND holder.deleted = 0
    WHERE rule.remote_group_id IN (${groups}))`;
}

/** Holds for a runner that has an object. */
export function holds(kind: Kind, id: SQL): SQL {
  return sql`EXISTS (SELECT 1 FROM desired held
    WHERE held.runner_id = runners.id AND held.kind = ${kind} AND held.id = ${id} AND held.deleted = 0)`;
}
