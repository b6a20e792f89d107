import { badRequest, forbidden } from '../../http/errors.ts';
import type { Microversion } from '../http/microversion.ts';
import { last, type Query, refuseUnknown } from '../http/paging.ts';

/** Parameters that every Nova knows; others are ignored before 2.75 and refused from then on. */
export const KNOWN = [
  ...[
    'user_id',
    'project_id',
    'tenant_id',
    'launch_index',
    'image_ref',
    'image',
    'kernel_id',
    'ramdisk_id',
    'hostname',
  ],
  ...['key_name', 'power_state', 'vm_state', 'task_state', 'host', 'node', 'flavor', 'reservation_id', 'launched_at'],
  ...['terminated_at', 'availability_zone', 'name', 'display_name', 'description', 'display_description', 'locked_by'],
  ...['uuid', 'root_device_name', 'config_drive', 'access_ip_v4', 'access_ip_v6', 'auto_disk_config', 'progress'],
  ...['sort_key', 'sort_dir', 'all_tenants', 'soft_deleted', 'deleted', 'status', 'changes-since', 'ip', 'ip6'],
  ...['created_at', 'limit', 'marker'],
];
/** Nova's joined tables: never a filter. */
const JOINED = [
  'block_device_mapping',
  'services',
  'metadata',
  'system_metadata',
  'info_cache',
  'security_groups',
  'pci_devices',
];

const PAGING = ['limit', 'marker', 'sort_key', 'sort_dir'];
const FOR_ALL = ['reservation_id', 'name', 'status', 'image', 'flavor', 'ip', 'changes-since', 'all_tenants'];
export const FOR_ALL_SINCE: readonly [Microversion, string[]][] = [
  [5, ['ip6']],
  [26, ['tags', 'tags-any', 'not-tags', 'not-tags-any']],
  [66, ['changes-before']],
  [73, ['locked']],
  [
    83,
    [
      ...['availability_zone', 'config_drive', 'key_name', 'created_at', 'launched_at', 'terminated_at', 'power_state'],
      ...['task_state', 'vm_state', 'progress', 'user_id'],
    ],
  ],
  [90, ['hostname']],
];
const KNOWN_SINCE = FOR_ALL_SINCE.filter(([, names]) => names.some((name) => !KNOWN.includes(name)));

const since = (table: readonly [Microversion, string[]][], version: Microversion) =>
  table.flatMap(([from, names]) => (version >= from ? names : []));

/**
 * The filters of a list that count for who asks, each with its last value (`status` with all).
 * @throws ApiError 400 an unknown parameter from 2.75, a joined table, or a time that is none
 */
export function filtersOf(query: Query, version: Microversion, admin: boolean): Map<string, string[]> {
  const known = [...KNOWN, ...since(KNOWN_SINCE, version)];
  const internal = Object.keys(query).filter((name) => JOINED.includes(name) || name.startsWith('_'));
  refuseUnknown(query, [...known, ...internal], version);
  const mine = new Set(admin ? known : [...FOR_ALL, ...since(FOR_ALL_SINCE, version)]);
  const filters = new Map<string, string[]>();
  for (const [name, values] of Object.entries(query)) {
    if (admin && (JOINED.includes(name) || name.startsWith('_'))) throw badRequest(`Invalid filter field: ${name}.`);
    if (!mine.has(name) || PAGING.includes(name)) continue;
    filters.set(name, name === 'status' ? values : [last(query, name) ?? '']);
  }
  return filters;
}

/** Milliseconds of a time in ISO 8601. @throws ApiError 400 */
export function timeOf(name: string, text: string): number {
  const iso = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?)(Z|[+-]\d{2}:?\d{2})?)?$/.exec(text);
  const ms = iso ? Date.parse(`${iso[1]}T${iso[2] ?? '00:00'}${iso[3] ?? 'Z'}`) : Number.NaN;
  if (Number.isNaN(ms)) {
    throw badRequest(`Invalid input for query parameters ${name}. Value: ${text}. '${text}' is not a 'date-time'`);
  }
  return ms;
}

/** Columns that a list may be sorted by, with the expression of each. In the expressions `servers` is `s`. */
export const SORT_KEYS: Readonly<Record<string, string>> = {
  access_ip_v4: `coalesce(s.access_ip_v4, '')`,
  access_ip_v6: `coalesce(s.access_ip_v6, '')`,
  auto_disk_config: `s.disk_config`,
  availability_zone: `s.zone`,
  config_drive: `s.config_drive`,
  created_at: `s.created_at_ms`,
  display_description: `coalesce(s.description, '')`,
  display_name: `s.name`,
  host: `coalesce((SELECT h.name FROM runners h WHERE h.id = s.runner_id), '')`,
  hostname: `s.hostname`,
  image_ref: `s.image_id`,
  instance_type_id: `s.flavor ->> 'id'`,
  kernel_id: `''`,
  key_name: `coalesce(s.key_name, '')`,
  launch_index: `s.launch_index`,
  launched_at: `coalesce(s.launched_at_ms, 0)`,
  locked: `(s.locked_by IS NOT NULL)`,
  locked_by: `coalesce(s.locked_by, '')`,
  node: `coalesce((SELECT h.name FROM runners h WHERE h.id = s.runner_id), '')`,
  power_state: `s.power_state`,
  progress: `s.progress`,
  project_id: `s.project_id`,
  ramdisk_id: `''`,
  root_device_name: `''`,
  task_state: `coalesce(s.task_state, '')`,
  terminated_at: `coalesce(s.terminated_at_ms, 0)`,
  updated_at: `s.updated_at_ms`,
  user_id: `s.user_id`,
  uuid: `s.id`,
  vm_state: `s.vm_state`,
};
/** Sort keys that Nova once took and now passes over, until it refuses them from 2.75. */
const PASSED_OVER = new Set([
  ...[
    'architecture',
    'cell_name',
    'cleaned',
    'default_ephemeral_device',
    'default_swap_device',
    'deleted',
    'deleted_at',
  ],
  ...[
    'disable_terminate',
    'ephemeral_gb',
    'ephemeral_key_uuid',
    'id',
    'key_data',
    'launched_on',
    'locked',
    'memory_mb',
  ],
  ...['os_type', 'reservation_id', 'root_gb', 'shutdown_terminate', 'user_data', 'vcpus', 'vm_mode'],
]);

export interface SortBy {
  expression: string;
  direction: 'ASC' | 'DESC';
}

/**
 * How a list is sorted; the order of creation settles what the keys leave open.
 * @throws ApiError 400 no such key or direction; 403 a key for operators alone
 */
export function sortOf(query: Query, version: Microversion, admin: boolean): SortBy[] {
  const keys = (query.sort_key ?? []).map((key) => key.trim());
  const directions = query.sort_dir ?? [];
  const sort: SortBy[] = [];
  for (const [index, key] of keys.entries()) {
    const passedOver = PASSED_OVER.has(key) && !(key === 'locked' && version >= 73);
    const expression = Object.hasOwn(SORT_KEYS, key) ? SORT_KEYS[key] : undefined;
    if (passedOver ? version >= 75 : expression === undefined) {
      throw badRequest(
        `Invalid input for query parameters sort_key. Value: ${key}. '${key}' is not one of the sort keys`,
      );
    }
    if ((key === 'host' || key === 'node') && !admin) throw forbidden(`Only administrators can sort servers by ${key}`);
    if (passedOver || expression === undefined) continue;
    sort.push({ expression, direction: directionOf(directions[index] ?? directions[0]) });
  }
  if (sort.length === 0) sort.push({ expression: 's.created_at_ms', direction: directionOf(directions[0]) });
  return [...sort, { expression: 's.number', direction: sort[0]?.direction ?? 'DESC' }];
}

function directionOf(text: string | undefined): SortBy['direction'] {
  if (text === undefined || text === 'desc') return 'DESC';
  if (text === 'asc') return 'ASC';
  throw badRequest(`Unknown sort direction, must be one of: asc, desc`);
}
