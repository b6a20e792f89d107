import { type SQL, sql } from 'drizzle-orm';
import type { Database } from '../../../db/client.ts';
import type { FlavorSnapshot, ServerFault } from '../../../db/schema/compute.ts';
import { servedPort } from '../../network/server-ports.ts';
import { nameValues } from '../http/reads.ts';
import type { TaskState, VmState } from './statuses.ts';

/** An address of a server, with the name of its network. */
export interface ServerAddress {
  network: string;
  address: string;
  mac: string;
  /** Addresses outside that lead to it. */
  floating?: string[];
}

/** A server as its views need it: the row, its host, its addresses and its groups. */
export interface ServerRow {
  id: string;
  projectId: string;
  userId: string;
  number: number;
  name: string;
  hostname: string;
  description: string | null;
  flavor: FlavorSnapshot;
  imageId: string;
  keyName: string | null;
  runnerId: string | null;
  /** The runner's name: Nova's host and node. */
  host: string | null;
  /** What the operator wants of the runner, or `forced-down`, and until when it counts as alive. */
  hostState: string | null;
  hostLeaseMs: number | null;
  zone: string;
  reservationId: string;
  launchIndex: number;
  vmState: VmState;
  taskState: TaskState | null;
  powerState: number;
  progress: number;
  configDrive: 0 | 1;
  metadata: Record<string, string>;
  tags: string[];
  fault: ServerFault | null;
  accessIpV4: string | null;
  accessIpV6: string | null;
  diskConfig: 'AUTO' | 'MANUAL';
  lockedBy: 'owner' | 'admin' | null;
  lockedReason: string | null;
  launchedAtMs: number | null;
  terminatedAtMs: number | null;
  createdAtMs: number;
  updatedAtMs: number;
  deletedAtMs: number | null;
  addresses: ServerAddress[];
  securityGroups: { name: string }[];
  /** Only where asked for. */
  userData?: string | null;
  /** Ids; only where asked for. */
  serverGroups?: string[];
}

const ADDRESSES = `(
  SELECT json_group_array(json_object('network', n.name, 'address', a.ip_address, 'mac', p.mac_address, 'floating', (
      SELECT json_group_array(f.floating_ip_address ORDER BY f.id) FROM floating_ips f WHERE f.port_id = p.id AND f.fixed_ip_address = a.ip_address))
    ORDER BY p.created_at_ms, p.id, a.position)
  FROM ports p JOIN networks n ON n.id = p.network_id JOIN ip_allocations a ON a.port_id = p.id
  WHERE p.device_id = s.id AND ${servedPort('p')})`;
const GROUPS = `(
  SELECT json_group_array(json_object('name', g.name) ORDER BY p.created_at_ms, p.id, g.name)
  FROM ports p JOIN port_security_groups pg ON pg.port_id = p.id JOIN security_groups g ON g.id = pg.group_id
  WHERE p.device_id = s.id AND ${servedPort('p')})`;
const SERVER_GROUPS = `(SELECT json_group_array(group_id) FROM server_group_members WHERE server_id = s.id)`;

/** Where each member of a row comes from; `servers` is `s`, its host's row `r`. */
const COLUMNS: { readonly [Member in keyof Required<ServerRow>]: string } = {
  id: 's.id',
  projectId: 's.project_id',
  userId: 's.user_id',
  number: 's.number',
  name: 's.name',
  hostname: 's.hostname',
  description: 's.description',
  flavor: 'json(s.flavor)',
  imageId: 's.image_id',
  keyName: 's.key_name',
  runnerId: 's.runner_id',
  host: 'r.name',
  hostState: `iif(r.forced_down, 'forced-down', r.state)`,
  hostLeaseMs: 'r.lease_expires_at_ms',
  zone: 's.zone',
  reservationId: 's.reservation_id',
  launchIndex: 's.launch_index',
  vmState: 's.vm_state',
  taskState: 's.task_state',
  powerState: 's.power_state',
  progress: 's.progress',
  configDrive: 's.config_drive',
  metadata: 'json(s.metadata)',
  tags: 'json(s.tags)',
  fault: 'json(s.fault)',
  accessIpV4: 's.access_ip_v4',
  accessIpV6: 's.access_ip_v6',
  diskConfig: 's.disk_config',
  lockedBy: 's.locked_by',
  lockedReason: 's.locked_reason',
  launchedAtMs: 's.launched_at_ms',
  terminatedAtMs: 's.terminated_at_ms',
  createdAtMs: 's.created_at_ms',
  updatedAtMs: 's.updated_at_ms',
  deletedAtMs: 's.deleted_at_ms',
  addresses: `json(${ADDRESSES})`,
  securityGroups: `json(${GROUPS})`,
  userData: 's.user_data',
  serverGroups: `json(${SERVER_GROUPS})`,
};
const MEMBERS = Object.keys(COLUMNS);
const { userData, serverGroups, ...lean } = COLUMNS;
/** What is not always asked for is last, so that a row without it only is shorter. */
function valuesOf(of: { userData?: boolean; serverGroups?: boolean }): SQL {
  const more = of.serverGroups ? [of.userData ? userData : 'NULL', serverGroups] : of.userData ? [userData] : [];
  return sql.raw(`json_array(${[...Object.values(lean), ...more].join(', ')})`);
}

/**
 * Reads servers whole, each as one text without names: a page of a hundred has thousands of values, and each would be
 * wrapped, named and carried by itself. In the conditions the table `servers` is named `s`.
 */
export function selectServers(
  db: Database,
  of: { where: SQL; order?: SQL; limit?: number; userData?: boolean; serverGroups?: boolean },
) {
  const order = of.order ? sql` ORDER BY ${of.order}` : sql.raw('');
  const limit = of.limit === undefined ? sql.raw('') : sql` LIMIT ${of.limit}`;
  return db.all<{ server: string }>(sql`
    SELECT ${valuesOf(of)} AS server
    FROM servers s LEFT JOIN runners r ON r.id = s.runner_id WHERE ${of.where}${order}${limit}`);
}

/** The rows of `selectServers`. */
export function serverRows(result: unknown): ServerRow[] {
  return (result as { server: string }[]).map((row) => nameValues<ServerRow>(MEMBERS, JSON.parse(row.server)));
}

/** A server as a list without details shows it. */
export type BriefRow = Pick<ServerRow, 'id' | 'name'>;

/** Reads no more of servers than a list without details shows; conditions as for `selectServers`. */
export const selectBrief = (db: Database, of: { where: SQL; order: SQL; limit: number }) =>
  db.all<BriefRow>(sql`SELECT s.id, s.name FROM servers s WHERE ${of.where} ORDER BY ${of.order} LIMIT ${of.limit}`);
