import { type SQL, sql } from 'drizzle-orm';
import type { ActorContext } from '../http/context.ts';
import { badRequest } from '../http/errors.ts';
import { splitOperator, splitValues } from './filter-text.ts';
import { VISIBILITIES } from './formats.ts';
import { FILTERS_MAX } from './limits.ts';
import { parseMoment } from './moment.ts';

/** Parameters of a list that are no filters. */
const OTHER_PARAMETERS = new Set(['limit', 'marker', 'member_status', 'sort', 'sort_key', 'sort_dir']);

const OPERATOR_COLUMNS: Record<string, string> = {
  name: 'name',
  id: 'id',
  status: 'status',
  container_format: 'container_format',
  disk_format: 'disk_format',
};
const INTEGER_COLUMNS: Record<string, string> = {
  size: 'size_bytes',
  virtual_size: 'virtual_size_bytes',
  min_disk: 'min_disk_gib',
  min_ram: 'min_ram_mib',
};
const TEXT_COLUMNS: Record<string, string> = { owner: 'project_id', checksum: 'md5', os_hash_value: 'sha512' };
const MOMENT_COLUMNS: Record<string, string> = { created_at: 'created_at_ms', updated_at: 'updated_at_ms' };
/** What a list is filtered by, besides the extra properties of images. */
export const FILTERS = [OPERATOR_COLUMNS, INTEGER_COLUMNS, TEXT_COLUMNS, MOMENT_COLUMNS].flatMap(Object.keys);
const COMPARISONS: Record<string, string> = { gt: '>', gte: '>=', lt: '<', lte: '<=', eq: '=', neq: '<>' };

const column = (name: string) => sql.raw(`images.${name}`);

/**
 * The conditions of a list request on the table `images`, joined by AND by the caller. A parameter that is no attribute
 * of an image filters on the extra property of that name.
 * @throws ApiError 400 a value that cannot be
 */
export function listConditions(ctx: ActorContext, query: URLSearchParams): SQL[] {
  const filters = [...query].filter(([name]) => !OTHER_PARAMETERS.has(name));
  if (filters.length > FILTERS_MAX) throw badRequest(`A list takes at most ${FILTERS_MAX} filters.`);
  if (query.has('changes-since')) throw badRequest('The "changes-since" filter is no longer available on v2.');
  const hidden = booleanFilter('os_hidden', (query.get('os_hidden') ?? 'false').toLowerCase());
  return [
    sql`images.os_hidden = ${hidden}`,
    sql`images.status <> 'killed'`,
    visibilityCondition(ctx, query.get('visibility')),
    ...filters
      .filter(([name]) => name !== 'os_hidden' && name !== 'visibility')
      .map(([name, value]) => condition(name, value.trim())),
  ];
}

function condition(name: string, value: string): SQL {
  if (name === 'tag') return sql`EXISTS (SELECT 1 FROM json_each(images.tags) AS tag WHERE tag.value = ${value})`;
  if (name === 'protected') return sql`images.protected = ${booleanFilter(name, value)}`;
  const operatorColumn = own(OPERATOR_COLUMNS, name);
  if (operatorColumn) return operatorCondition(operatorColumn, value);
  const momentColumn = own(MOMENT_COLUMNS, name);
  if (momentColumn) return momentCondition(name, momentColumn, value);
  const textColumn = own(TEXT_COLUMNS, name);
  if (textColumn) return sql`${column(textColumn)} = ${value}`;
  const integer = integerCondition(name, value);
  if (integer) return integer;
  return sql`EXISTS (SELECT 1 FROM json_each(images.properties) AS property
    WHERE property.key = ${name} AND property.value = ${value})`;
}

const own = (columns: Record<string, string>, name: string) =>
  Object.hasOwn(columns, name) ? columns[name] : undefined;

function operatorCondition(name: string, value: string): SQL {
  const [operator, operand] = splitOperator(value);
  if (operator === 'eq') return sql`${column(name)} = ${operand}`;
  if (operator !== 'in') throw badRequest(`Unable to filter by unknown operator '${operator}'.`);
  return sql`${column(name)} IN (${sql.join(
    splitValues(operand).map((one) => sql`${one}`),
    sql`, `,
  )})`;
}

/** Moments are shown in whole seconds, so they are compared in whole seconds. */
function momentCondition(name: string, columnName: string, value: string): SQL {
  const [operator, operand] = splitOperator(value);
  const comparison = own(COMPARISONS, operator);
  if (!comparison) throw badRequest('Unable to filter on a unknown operator.');
  const ms = parseMoment(operand);
  if (ms === undefined) throw badRequest(`Bad "${name}" query filter format. Use ISO 8601 DateTime notation.`);
  return sql`${column(columnName)} / 1000 ${sql.raw(comparison)} ${Math.floor(ms / 1000)}`;
}

function integerCondition(name: string, value: string): SQL | undefined {
  const bound = /^(.*)_(min|max)$/.exec(name);
  const range = bound ? own(INTEGER_COLUMNS, bound[1] ?? '') : undefined;
  const exact = own(INTEGER_COLUMNS, name);
  const columnName = range ?? exact;
  if (!columnName) return undefined;
  if (!/^[+-]?\d{1,15}$/.test(value)) throw badRequest('Unable to filter on a range with a non-numeric value.');
  const comparison = range ? (bound?.[2] === 'min' ? '>=' : '<=') : '=';
  return sql`${column(columnName)} ${sql.raw(comparison)} ${Number(value)}`;
}

function booleanFilter(name: string, value: string): 0 | 1 {
  if (value !== 'true' && value !== 'false') {
    throw badRequest(`Invalid value '${value}' for '${name}' filter. Valid values are 'true' or 'false'.`);
  }
  return value === 'true' ? 1 : 0;
}

/** Community images of others come only to those who ask for them. */
function visibilityCondition(ctx: ActorContext, visibility: string | null): SQL {
  if (visibility === 'all') return sql`1`;
  if (visibility !== null && visibility !== '') {
    if (!(VISIBILITIES as readonly string[]).includes(visibility)) {
      throw badRequest(`Invalid visibility value: ${visibility}`);
    }
    return sql`images.visibility = ${visibility}`;
  }
  return sql`(images.visibility <> 'community' OR images.project_id = ${ctx.actor.projectId})`;
}
