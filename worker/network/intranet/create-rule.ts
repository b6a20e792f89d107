import { and, eq, type SQL, sql } from 'drizzle-orm';
import { intranetRules } from '../../../db/schema/intranet.ts';
import { AssertionFailed, assertThat, ConstraintFailed, commit } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { badRequest, conflict } from '../../http/errors.ts';
import { authorize } from '../../http/policy.ts';
import { expiryMs, type NewRule } from './attributes.ts';
import { policy } from './policy.ts';
import type { RuleRow } from './views.ts';
import { hostsOf, putExceptions } from './wishes.ts';

/** Rules that one region can have: every host holds all of them. */
const RULES_MAX = 2000;

/**
 * Lets a source reach a part of the intranet, on every host, until the rule ends.
 * @throws ApiError 400 no such source, or an end that is past; 409 there is one that says the same, or too many
 */
export async function createRule(ctx: ActorContext, input: NewRule): Promise<RuleRow> {
  authorize(ctx, policy, 'intranet:rules:create');
  const now = ctx.clock.nowMs();
  const expiry = expiryMs(input.expires_at, now);
  if ('problem' in expiry) throw badRequest(expiry.problem);
  const row = rowOf(ctx, input, expiry.atMs);
  const touches = hostsOf(ctx.region);
  const room = sql`(SELECT count(*) FROM intranet_rules WHERE region = ${ctx.region}) < ${RULES_MAX}`;
  const { source, destination, reason, expires_at } = input;
  try {
    await commit(ctx, {
      audit: {
        action: 'intranet:rules:create',
        targetType: 'intranet-rule',
        targetId: row.id,
        detail: { source, destination, reason, expires_at },
      },
      touches,
      statements: [
        assertThat(ctx.db, 'source', sourceExists(ctx, source)),
        assertThat(ctx.db, 'room', room),
        ctx.db.insert(intranetRules).values(row),
        putExceptions(ctx, sql`rule.id = ${row.id} AND ${touches}`),
      ],
    });
  } catch (error) {
    throw await refusal(ctx, row, error);
  }
  return row;
}

function rowOf(ctx: ActorContext, input: NewRule, expiresAtMs: number | null): RuleRow {
  const { source, destination, protocol, port_range_min, port_range_max, description, reason } = input;
  const now = ctx.clock.nowMs();
  return {
    id: ctx.ids.uuid(),
    region: ctx.region,
    sourceType: source.type,
    sourceId: source.id,
    destination,
    protocol,
    portRangeMin: port_range_min,
    portRangeMax: port_range_max,
    content: JSON.stringify([source.type, source.id, destination, protocol, port_range_min, port_range_max]),
    description,
    reason,
    expiresAtMs,
    endedAtMs: null,
    createdBy: ctx.actor.userId,
    createdAtMs: now,
    updatedAtMs: now,
  };
}

/** Projects are of all regions; the rest must be in this one. */
function sourceExists(ctx: ActorContext, { type, id }: NewRule['source']): SQL {
  if (type === 'project') return sql`EXISTS (SELECT 1 FROM projects WHERE id = ${id})`;
  const table = { network: 'networks', security_group: 'security_groups', server: 'servers', port: 'ports' }[type];
  return sql`EXISTS (SELECT 1 FROM ${sql.identifier(table)} WHERE id = ${id} AND region = ${ctx.region})`;
}

async function refusal(ctx: ActorContext, row: RuleRow, error: unknown): Promise<unknown> {
  if (error instanceof AssertionFailed && error.assertion === 'source')
    return badRequest(`Invalid input for source: there is no ${row.sourceType.replace('_', ' ')} ${row.sourceId}.`);
  if (error instanceof AssertionFailed)
    return conflict(`There are ${RULES_MAX} intranet rules, the most there can be: delete those that have expired.`);
  if (!(error instanceof ConstraintFailed)) return error;
  const [twin] = await ctx.db
    .select({ id: intranetRules.id })
    .from(intranetRules)
    .where(and(eq(intranetRules.region, ctx.region), eq(intranetRules.content, row.content)));
  return conflict(
    `Intranet rule ${twin?.id ?? ''} says the same. Give that one another expires_at, or delete it first.`,
  );
}
