import { eq, getTableColumns, sql } from 'drizzle-orm';
import { securityGroupRules, securityGroups } from '../../../db/schema/network.ts';
import type { ActorContext, Context } from '../../http/context.ts';
import { byBoolean, byInteger, byText } from '../api/filters.ts';
import { jsonColumn } from '../api/json-column.ts';
import type { Listing } from '../api/listing.ts';
import { isoTime, standardView } from '../api/views.ts';
import { EVERYONE, sharedWith, sharedWithMe } from '../rbac/shared-with.ts';
import { byTags } from '../tags/tag-filters.ts';
import { DEFAULT_GROUP_NAME, type GroupRow, type RuleRow } from './new-group.ts';
import { normalizedCidr } from './rule-values.ts';

const groupColumns = {
  ...getTableColumns(securityGroups),
  rules: jsonColumn<RuleRow[]>(
    sql`(SELECT json_group_array(json_object('id', r.id, 'region', r.region, 'projectId', r.project_id, 'groupId', r.group_id,
      'description', r.description, 'direction', r.direction, 'ethertype', r.ethertype, 'protocol', r.protocol,
      'portRangeMin', r.port_range_min, 'portRangeMax', r.port_range_max, 'remoteIpPrefix', r.remote_ip_prefix,
      'remoteGroupId', r.remote_group_id, 'remoteAddressGroupId', r.remote_address_group_id, 'createdAtMs', r.created_at_ms) ORDER BY r.created_at_ms, r.id)
      FROM security_group_rules r WHERE r.group_id = security_groups.id)`,
  ),
};

/** Security groups as they are shown; the caller adds conditions. */
export const selectGroups = (ctx: ActorContext) =>
  ctx.db
    .select({ ...groupColumns, shared: sharedWithMe(ctx, 'security_group', sql`security_groups.id`) })
    .from(securityGroups);
export type GroupWithRules = GroupRow & { rules: RuleRow[]; shared: boolean };

const ruleColumns = { ...getTableColumns(securityGroupRules), groupName: securityGroups.name };

/** Rules as they are shown, with the name of their group; the caller adds conditions. */
export const selectRules = (ctx: Context) =>
  ctx.db
    .select(ruleColumns)
    .from(securityGroupRules)
    .innerJoin(securityGroups, eq(securityGroups.id, securityGroupRules.groupId));
export type RuleWithGroup = RuleRow & { groupName: string };

/** A group in the API's form, its rules within. */
export function groupView(row: GroupWithRules) {
  return {
    id: row.id,
    name: row.name,
    stateful: row.stateful,
    shared: row.shared,
    security_group_rules: row.rules.map((rule) => ruleView({ ...rule, groupName: row.name })),
    ...standardView(row),
  };
}

/** A rule in the API's form. Rules never change, but for their description. */
export function ruleView(row: RuleWithGroup) {
  const at = isoTime(row.createdAtMs);
  return {
    id: row.id,
    security_group_id: row.groupId,
    direction: row.direction,
    ethertype: row.ethertype,
    protocol: row.protocol,
    port_range_min: row.portRangeMin,
    port_range_max: row.portRangeMax,
    remote_ip_prefix: row.remoteIpPrefix,
    normalized_cidr: normalizedCidr(row.remoteIpPrefix),
    remote_group_id: row.remoteGroupId,
    remote_address_group_id: row.remoteAddressGroupId,
    belongs_to_default_sg: row.groupName === DEFAULT_GROUP_NAME,
    tenant_id: row.projectId,
    project_id: row.projectId,
    description: row.description,
    tags: [],
    created_at: at,
    updated_at: at,
    revision_number: 0,
  };
}

/** How groups are filtered and sorted. */
export const groupListing: Listing = {
  table: 'security_groups',
  filters: {
    id: byText(securityGroups.id),
    name: byText(securityGroups.name),
    description: byText(securityGroups.description),
    tenant_id: byText(securityGroups.projectId),
    project_id: byText(securityGroups.projectId),
    stateful: byBoolean(securityGroups.stateful),
    shared: byBoolean(sharedWith('security_group', sql`security_groups.id`, sql`${EVERYONE}`)),
    ...byTags(securityGroups.tags),
    revision_number: byInteger(securityGroups.revision),
  },
  sortKeys: {
    id: sql`security_groups.id`,
    name: sql`security_groups.name`,
    tenant_id: sql`security_groups.project_id`,
    project_id: sql`security_groups.project_id`,
    created_at: sql`security_groups.created_at_ms`,
    updated_at: sql`security_groups.updated_at_ms`,
  },
};

/** How rules are filtered and sorted. */
export const ruleListing: Listing = {
  table: 'security_group_rules',
  filters: {
    id: byText(securityGroupRules.id),
    security_group_id: byText(securityGroupRules.groupId),
    tenant_id: byText(securityGroupRules.projectId),
    project_id: byText(securityGroupRules.projectId),
    direction: byText(securityGroupRules.direction),
    ethertype: byText(securityGroupRules.ethertype),
    protocol: byText(securityGroupRules.protocol),
    port_range_min: byInteger(securityGroupRules.portRangeMin),
    port_range_max: byInteger(securityGroupRules.portRangeMax),
    remote_ip_prefix: byText(securityGroupRules.remoteIpPrefix),
    remote_group_id: byText(securityGroupRules.remoteGroupId),
    remote_address_group_id: byText(securityGroupRules.remoteAddressGroupId),
    description: byText(securityGroupRules.description),
  },
  sortKeys: {
    id: sql`security_group_rules.id`,
    security_group_id: sql`security_group_rules.group_id`,
    direction: sql`security_group_rules.direction`,
    ethertype: sql`security_group_rules.ethertype`,
    protocol: sql`coalesce(security_group_rules.protocol, '')`,
    port_range_min: sql`coalesce(security_group_rules.port_range_min, -1)`,
    port_range_max: sql`coalesce(security_group_rules.port_range_max, -1)`,
    tenant_id: sql`security_group_rules.project_id`,
    project_id: sql`security_group_rules.project_id`,
    created_at: sql`security_group_rules.created_at_ms`,
  },
};
