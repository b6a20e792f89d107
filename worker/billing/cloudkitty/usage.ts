import { type SQL, sql } from 'drizzle-orm';
import { formatRational, type Rational } from '../../../shared/money.ts';
import type { ActorContext } from '../../http/context.ts';
import { forbidden } from '../../http/errors.ts';
import { authorize, isAdmin } from '../../http/policy.ts';
import { columnOf } from './attributes.ts';
import { policy, type RatingAction } from './policy.ts';

/** Rated usage: of a time, of one project or (null) of all, and of what its filters say. */
export interface Usage {
  fromMs: number;
  toMs: number;
  projectId: string | null;
  /** Attributes and the values that each may have. */
  filters: ReadonlyMap<string, readonly string[]>;
}

/** Whose usage v2 shows: an admin sees all, others their own project, whatever they filter by. @throws ApiError 403 */
export function ownOrAll(ctx: ActorContext, action: RatingAction): string | null {
  authorize(ctx, policy, action, { projectId: ctx.actor.projectId });
  return isAdmin(ctx) ? null : ctx.actor.projectId;
}

/** Whose usage v1 shows: the project that is named, else the own; all of them where an admin says so. @throws ApiError 403 */
export function namedOrOwn(
  ctx: ActorContext,
  action: RatingAction,
  asked: { tenant_id?: string | undefined; all_tenants?: boolean },
): string | null {
  if (asked.all_tenants && !isAdmin(ctx)) throw forbidden(`Policy doesn't allow ${action} to be performed.`);
  const projectId = asked.tenant_id ?? ctx.actor.projectId;
  authorize(ctx, policy, action, { projectId });
  return asked.all_tenants ? null : projectId;
}

/** Which purchases a usage is: by when the service began. All projects are named one by one, as the index has them. */
export function chosen(ctx: ActorContext, { fromMs, toMs, projectId, filters }: Usage): SQL {
  const all = sql`IN (SELECT project_id FROM billing_account_projects WHERE region = ${ctx.region})`;
  const conditions = [
    sql`purchase.region = ${ctx.region}`,
    sql`purchase.project_id ${projectId === null ? all : sql`= ${projectId}`}`,
    sql`purchase.from_ms >= ${fromMs} AND purchase.from_ms < ${toMs}`,
  ];
  for (const [name, values] of filters) {
    const list = sql.join(
      values.map((value) => sql`${value}`),
      sql`, `,
    );
    conditions.push(sql`${columnOf(name, 'filter')} IN (${list})`);
  }
  return sql.join(conditions, sql` AND `);
}

/** Digits after the point: more than a double tells apart. */
const DIGITS = 30;
/** The number of JSON that is nearest to an exact one. */
export const nearest = (value: Rational): number => Number(formatRational(value, DIGITS));

/** What a quantity is counted in: `hours`, or `10 MB`. */
export const unitOf = ({ orderUnit, orderSize }: { orderUnit: string; orderSize: number }): string =>
  orderSize === 1 ? orderUnit : `${orderSize} ${orderUnit}`;
