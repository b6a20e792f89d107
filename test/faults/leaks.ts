import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type SQL, sql } from 'drizzle-orm';
import type { Cloud, RunnerProcess } from '../cloud.ts';

/** What must never be in the database once nothing is under way, each as a query of the rows that break it. */
const RULES: Record<string, SQL> = {
  'a claim that is not the sum of its live servers': sql`
    SELECT r.name, r.vcpus_claimed, r.memory_mib_claimed, r.disk_gib_claimed FROM runners r
    LEFT JOIN servers s ON s.runner_id = r.id AND s.deleted_at_ms IS NULL GROUP BY r.id
    HAVING r.vcpus_claimed <> coalesce(sum(s.claimed_vcpus), 0)
      OR r.memory_mib_claimed <> coalesce(sum(s.claimed_memory_mib), 0)
      OR r.disk_gib_claimed <> coalesce(sum(s.claimed_disk_gib), 0)`,
  'a claim of a deleted server': sql`
    SELECT id FROM servers WHERE deleted_at_ms IS NOT NULL AND claimed_vcpus + claimed_memory_mib + claimed_disk_gib > 0`,
  'a tombstone': sql`SELECT runner_id, kind, id FROM desired WHERE deleted = 1`,
  'a wish for a server that its runner has not': sql`
    SELECT d.runner_id, d.id FROM desired d WHERE d.kind = 'server' AND NOT EXISTS
      (SELECT 1 FROM servers s WHERE s.id = d.id AND s.runner_id = d.runner_id AND s.deleted_at_ms IS NULL)`,
  'a server without a wish': sql`
    SELECT s.id FROM servers s WHERE s.deleted_at_ms IS NULL AND s.runner_id IS NOT NULL AND NOT EXISTS
      (SELECT 1 FROM desired d WHERE d.kind = 'server' AND d.id = s.id AND d.runner_id = s.runner_id)`,
  'a wish for a port that its runner does not serve': sql`
    SELECT d.runner_id, d.id FROM desired d WHERE d.kind = 'port' AND NOT EXISTS
      (SELECT 1 FROM ports p WHERE p.id = d.id AND p.runner_id = d.runner_id)`,
  'a wish for a network without a port': sql`
    SELECT d.runner_id, d.id FROM desired d WHERE d.kind = 'network' AND NOT EXISTS
      (SELECT 1 FROM ports p WHERE p.network_id = d.id AND p.runner_id = d.runner_id)`,
  'a wish for a security group without a port': sql`
    SELECT d.runner_id, d.id FROM desired d WHERE d.kind = 'security-group' AND NOT EXISTS
      (SELECT 1 FROM ports p JOIN port_security_groups g ON g.port_id = p.id WHERE g.group_id = d.id AND p.runner_id = d.runner_id)`,
  'a wish for a member that is no port': sql`
    SELECT d.runner_id, d.id FROM desired d WHERE d.kind = 'group-member' AND NOT EXISTS
      (SELECT 1 FROM ports p WHERE p.id = substr(d.id, 38))`,
  'a port of no server': sql`
    SELECT p.id FROM ports p WHERE p.owned_by_server = 1 AND NOT EXISTS
      (SELECT 1 FROM servers s WHERE s.id = p.device_id AND s.deleted_at_ms IS NULL)`,
  'an address of no port': sql`
    SELECT ip_address FROM ip_allocations a WHERE NOT EXISTS (SELECT 1 FROM ports p WHERE p.id = a.port_id)`,
  'a port without an address': sql`
    SELECT p.id FROM ports p WHERE p.owned_by_server = 1 AND NOT EXISTS (SELECT 1 FROM ip_allocations a WHERE a.port_id = p.id)`,
  'a move without an end': sql`SELECT uuid, phase FROM server_migrations WHERE phase <> 'ended'`,
  'an open operation': sql`SELECT op_id FROM operations WHERE state IN ('queued', 'accepted')`,
  'an action without an end': sql`SELECT server_id, action FROM server_actions WHERE finished_at_ms IS NULL`,
  'an event without an end': sql`SELECT server_id, event FROM server_action_events WHERE finished_at_ms IS NULL`,
  'a server made or deleted more than once': sql`
    SELECT server_id, action, count(*) AS times FROM server_actions WHERE action IN ('create', 'delete')
    GROUP BY server_id, action HAVING count(*) > 1`,
  'a server in neither a good state nor an ERROR with its reason': sql`
    SELECT id, vm_state, task_state FROM servers WHERE deleted_at_ms IS NULL
      AND (task_state IS NOT NULL OR task_deadline_ms IS NOT NULL OR vm_state NOT IN ('active', 'stopped', 'error')
        OR (vm_state = 'error' AND coalesce(fault ->> '$.message', '') = ''))`,
};

/** What the database holds that it should not, once nothing is under way; empty when all is well. */
export async function databaseLeaks({ edge }: Cloud): Promise<Record<string, unknown[]>> {
  const rows = await edge.db.batch(
    Object.values(RULES).map((rule) => edge.db.all(rule)) as [ReturnType<typeof edge.db.all>],
  );
  const found = Object.keys(RULES).map((name, index) => [name, rows[index] as unknown[]] as const);
  return Object.fromEntries(found.filter(([, broken]) => broken.length > 0));
}

interface SimulatedObject {
  kind: string;
  id: string;
  power?: 'on' | 'off';
  starts?: number;
  gone?: true;
}

/** What the simulated machines of a process hold, each by its runner's id. */
export function simulatedMachines({ stateDir }: Pick<RunnerProcess, 'stateDir'>): Map<string, SimulatedObject[]> {
  const many = join(stateDir, 'runners');
  const folders = existsSync(many) ? readdirSync(many).map((name) => join(many, name)) : [stateDir];
  return new Map(
    folders.map((folder) => {
      const { runner_id } = JSON.parse(readFileSync(join(folder, 'identity.json'), 'utf8')) as { runner_id: string };
      return [runner_id, objectsIn(join(folder, 'simulated-machine.jsonl'))] as const;
    }),
  );
}

function objectsIn(path: string): SimulatedObject[] {
  const held = new Map<string, SimulatedObject>();
  for (const text of readFileSync(path, 'utf8').split('\n').filter(Boolean)) {
    const line = JSON.parse(text) as SimulatedObject;
    if (line.gone) held.delete(`${line.kind}/${line.id}`);
    else if (line.kind) held.set(`${line.kind}/${line.id}`, line);
  }
  return [...held.values()];
}

/** How simulated machines differ from what the database wishes of them, and guests that were not started just once. */
export async function machineLeaks({ edge }: Cloud, process: RunnerProcess): Promise<string[]> {
  const found: string[] = [];
  for (const [runnerId, objects] of simulatedMachines(process)) {
    const wishes = await edge.db.all<{ key: string }>(
      sql`SELECT kind || '/' || id AS key FROM desired WHERE runner_id = ${runnerId} AND deleted = 0`,
    );
    const wished = new Set(wishes.map(({ key }) => key));
    for (const { kind, id, power, starts } of objects) {
      if (!wished.delete(`${kind}/${id}`)) found.push(`${kind}/${id} is on the machine and not wished`);
      if (kind === 'server' && (power !== 'on' || starts !== 1))
        found.push(`server ${id} is ${power}, started ${starts} times`);
    }
    for (const key of wished) found.push(`${key} is wished and not on the machine`);
  }
  return found;
}
