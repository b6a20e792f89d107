import { and, eq, getTableColumns, sql } from 'drizzle-orm';
import { qosPolicies, type qosRules } from '../../../db/schema/qos.ts';
import type { ActorContext } from '../../http/context.ts';
import { byBoolean, byInteger, byText } from '../api/filters.ts';
import { jsonColumn } from '../api/json-column.ts';
import type { Listing, ListQuery } from '../api/listing.ts';
import { standardView } from '../api/views.ts';
import { visibleOf } from '../api/visibility.ts';
import { qosPolicyNotFound } from '../faults.ts';
import { EVERYONE, sharedWith, sharedWithMe } from '../rbac/shared-with.ts';
import { byTags } from '../tags/tag-filters.ts';

export type QosRule = typeof qosRules.$inferSelect;
export type QosRuleType = QosRule['type'];

/** Policies with their rules as they are shown; the caller adds conditions. */
export const selectQosPolicies = (ctx: ActorContext) =>
  ctx.db
    .select({
      ...getTableColumns(qosPolicies),
      shared: sharedWithMe(ctx, 'qos_policy', sql`qos_policies.id`),
      rules: jsonColumn<QosRule[]>(
        sql`(SELECT json_group_array(json_object('id', r.id, 'policyId', r.policy_id, 'type', r.type, 'direction', r.direction,
          'maxKbps', r.max_kbps, 'maxBurstKbits', r.max_burst_kbits, 'dscpMark', r.dscp_mark) ORDER BY r.type, r.direction)
          FROM qos_rules r WHERE r.policy_id = qos_policies.id)`,
      ),
    })
    .from(qosPolicies);
export type QosPolicyRow = Awaited<ReturnType<typeof selectQosPolicies>>[number];

/** A page of the policies that the actor sees. */
export function listQosPolicies(ctx: ActorContext, query: ListQuery): Promise<QosPolicyRow[]> {
  return selectQosPolicies(ctx)
    .where(and(visibleOf(ctx, 'qos_policy'), query.where))
    .orderBy(...query.orderBy)
    .limit(query.limit);
}

/** One policy. @throws ApiError 404 where there is none that the actor sees */
export async function showQosPolicy(ctx: ActorContext, id: string): Promise<QosPolicyRow> {
  const [row] = await selectQosPolicies(ctx).where(and(eq(qosPolicies.id, id), visibleOf(ctx, 'qos_policy')));
  if (!row) throw qosPolicyNotFound(id);
  return row;
}

/** A rule in the API's form. */
export const ruleView = (rule: QosRule) => ({
  id: rule.id,
  ...(rule.type === 'bandwidth_limit'
    ? { max_kbps: rule.maxKbps, max_burst_kbps: rule.maxBurstKbits, direction: rule.direction }
    : { dscp_mark: rule.dscpMark }),
});

/** A policy in the API's form. */
export const qosPolicyView = (_ctx: ActorContext, row: QosPolicyRow) => ({
  id: row.id,
  name: row.name,
  shared: row.shared,
  is_default: row.isDefault,
  rules: row.rules.map((rule) => ({ ...ruleView(rule), type: rule.type, qos_policy_id: row.id })),
  ...standardView(row),
});

/** How policies are filtered and sorted. */
export const qosPolicyListing: Listing = {
  table: 'qos_policies',
  filters: {
    id: byText(qosPolicies.id),
    name: byText(qosPolicies.name),
    description: byText(qosPolicies.description),
    tenant_id: byText(qosPolicies.projectId),
    project_id: byText(qosPolicies.projectId),
    is_default: byBoolean(qosPolicies.isDefault),
    shared: byBoolean(sharedWith('qos_policy', sql`qos_policies.id`, sql`${EVERYONE}`)),
    ...byTags(qosPolicies.tags),
    revision_number: byInteger(qosPolicies.revision),
  },
  sortKeys: {
    id: sql`qos_policies.id`,
    name: sql`qos_policies.name`,
    tenant_id: sql`qos_policies.project_id`,
    project_id: sql`qos_policies.project_id`,
    created_at: sql`qos_policies.created_at_ms`,
    updated_at: sql`qos_policies.updated_at_ms`,
  },
};
