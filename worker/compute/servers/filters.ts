import { type SQL, sql } from 'drizzle-orm';
import type { ActorContext } from '../../http/context.ts';
import { badRequest, forbidden } from '../../http/errors.ts';
import { isAdmin } from '../../http/policy.ts';
import { servedPort } from '../../network/server-ports.ts';
import { booleanWord } from '../http/parameters.ts';
import { timeOf } from './list-query.ts';
import { type Condition, matching } from './pattern.ts';
import { statesOf } from './statuses.ts';

type Build = (value: string, name: string) => Condition;

const text = (column: string): Build => {
  const expression = sql.raw(column);
  const texts = sql`json_array(${expression})`;
  return (value, name) => matching(name, value, { where: (matches) => matches(expression), texts });
};
const holding =
  (build: (value: string, name: string) => SQL): Build =>
  (value, name) => ({ sql: build(value, name) });
const exactly = (column: string): Build => holding((value) => sql`${sql.raw(column)} = ${value}`);
const wholeNumber = (column: string): Build =>
  holding((value, name) => {
    if (!/^-?\d{1,15}$/.test(value)) throw badRequest(`Invalid filter field: ${name}.`);
    return sql`${sql.raw(column)} = ${Number(value)}`;
  });
const moment = (column: string): Build =>
  text(`coalesce(strftime('%Y-%m-%dT%H:%M:%S', ${column} / 1000, 'unixepoch'), '')`);
const host = holding((value) => sql`s.runner_id IN (SELECT id FROM runners WHERE name = ${value})`);
const address = (family: 4 | 6): Build => {
  const ofServer = sql`FROM ports p JOIN ip_allocations a ON a.port_id = p.id
    WHERE p.device_id = s.id AND ${sql.raw(servedPort('p'))} AND (instr(a.ip_address, ':') > 0) = ${family === 6 ? 1 : 0}`;
  const texts = sql`(SELECT json_group_array(a.ip_address) ${ofServer})`;
  const where = (matches: (text: SQL) => SQL) => sql`EXISTS (SELECT 1 ${ofServer} AND ${matches(sql`a.ip_address`)})`;
  return (value, name) => matching(name, value, { where, texts });
};

/** All, any, none or not all of the tags that a filter lists. */
const tags = (of: 'all' | 'any', not: boolean): Build =>
  holding((value) => {
    const wanted = [...new Set(value.split(','))];
    const list = sql.join(
      wanted.map((tag) => sql`${tag}`),
      sql`, `,
    );
    const found = sql`(SELECT count(*) FROM json_each(s.tags) t WHERE t.value IN (${list}))`;
    const holds = of === 'all' ? sql`${found} = ${wanted.length}` : sql`${found} > 0`;
    return not ? sql`NOT (${holds})` : holds;
  });

const FILTERS: Readonly<Record<string, Build>> = {
  user_id: exactly('s.user_id'),
  project_id: exactly('s.project_id'),
  tenant_id: exactly('s.project_id'),
  launch_index: wholeNumber('s.launch_index'),
  image: exactly('s.image_id'),
  image_ref: exactly('s.image_id'),
  hostname: text('s.hostname'),
  key_name: text(`coalesce(s.key_name, '')`),
  power_state: wholeNumber('s.power_state'),
  vm_state: exactly('s.vm_state'),
  task_state: exactly(`coalesce(s.task_state, '')`),
  host,
  node: host,
  flavor: exactly(`s.flavor ->> 'id'`),
  reservation_id: exactly('s.reservation_id'),
  launched_at: moment('s.launched_at_ms'),
  terminated_at: moment('s.terminated_at_ms'),
  created_at: moment('s.created_at_ms'),
  availability_zone: text('s.zone'),
  name: text('s.name'),
  display_name: text('s.name'),
  description: text(`coalesce(s.description, '')`),
  display_description: text(`coalesce(s.description, '')`),
  locked_by: text(`coalesce(s.locked_by, '')`),
  uuid: exactly('s.id'),
  config_drive: holding((value) => sql`s.config_drive = ${booleanWord(value, false) ? 1 : 0}`),
  access_ip_v4: text(`coalesce(s.access_ip_v4, '')`),
  access_ip_v6: text(`coalesce(s.access_ip_v6, '')`),
  auto_disk_config: holding((value) => sql`s.disk_config = ${booleanWord(value, false) ? 'AUTO' : 'MANUAL'}`),
  progress: wholeNumber('s.progress'),
  ip: address(4),
  ip6: address(6),
  tags: tags('all', false),
  'tags-any': tags('any', false),
  'not-tags': tags('all', true),
  'not-tags-any': tags('any', true),
  locked: holding((value) => {
    if (!/^(1|t|true|on|y|yes|0|f|false|off|n|no)$/i.test(value)) {
      throw badRequest(`Invalid input received: Unrecognized value '${value}' for locked`);
    }
    return booleanWord(value, false) ? sql`s.locked_by IS NOT NULL` : sql`s.locked_by IS NULL`;
  }),
};

/** The condition of the filters that name columns; those unknown to the table hold for every server. */
export function filterConditions(filters: ReadonlyMap<string, string[]>): Condition[] {
  return [...filters].flatMap(([name, values]) => {
    const build = FILTERS[name];
    return build ? [build(values[0] ?? '', name)] : [];
  });
}

/**
 * The condition of a filter by status.
 * @returns null where no server can have it
 * @throws ApiError 400 from 2.38 for a status that does not exist; 403 `deleted` for anyone but an admin
 */
export function statusCondition(ctx: ActorContext, statuses: readonly string[], version: number): SQL | null {
  const { vmStates, taskStates } = statesOf(statuses);
  if (vmStates.length === 0) {
    if (version >= 38) throw badRequest('Invalid status value');
    return null;
  }
  if (vmStates.length === 1 && vmStates[0] === 'deleted' && !isAdmin(ctx)) {
    throw forbidden('Only administrators may list deleted instances');
  }
  const list = (values: readonly string[]) =>
    sql.join(
      values.map((value) => sql`${value}`),
      sql`, `,
    );
  const ofTasks = taskStates.length > 0 ? sql` AND s.task_state IN (${list(taskStates)})` : sql``;
  return sql`s.vm_state IN (${list(vmStates)})${ofTasks}`;
}

/** Deleted servers are listed on an admin's wish, or where changes of a time are asked for. @throws ApiError 400 */
export function deletionCondition(filters: ReadonlyMap<string, string[]>): SQL[] {
  const conditions: SQL[] = [];
  const changed = (name: 'changes-since' | 'changes-before') => {
    const value = filters.get(name)?.[0];
    return value === undefined ? undefined : timeOf(name, value);
  };
  const from = changed('changes-since');
  const until = changed('changes-before');
  if (from !== undefined && until !== undefined && until < from) {
    throw badRequest('The value of changes-since must be less than or equal to changes-before.');
  }
  if (from !== undefined) conditions.push(sql`s.updated_at_ms >= ${from}`);
  if (until !== undefined) conditions.push(sql`s.updated_at_ms <= ${until}`);
  const deleted = filters.get('deleted')?.[0];
  const onlyDeleted = filters.get('status')?.some((status) => status.toLowerCase() === 'deleted');
  if (onlyDeleted || (deleted !== undefined && booleanWord(deleted, false))) {
    conditions.push(sql`s.deleted_at_ms IS NOT NULL`);
  } else if (deleted !== undefined || (from === undefined && until === undefined)) {
    conditions.push(sql`s.deleted_at_ms IS NULL`);
  }
  return conditions;
}
