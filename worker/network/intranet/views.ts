import type { intranetPrefixes, intranetRules } from '../../../db/schema/intranet.ts';
import { iso } from '../../http/times.ts';

export type PrefixRow = typeof intranetPrefixes.$inferSelect;
export type RuleRow = typeof intranetRules.$inferSelect;

export const prefixView = (row: PrefixRow) => ({
  id: row.id,
  prefix: row.prefix,
  ip_version: row.ipVersion,
  description: row.description,
  reason: row.reason,
  created_by: row.createdBy,
  created_at: iso(row.createdAtMs),
  updated_at: iso(row.updatedAtMs),
});

/** A rule; one whose end has come says so, even before it is taken from the machines, which end it by themselves. */
export const ruleView = (row: RuleRow, nowMs: number) => ({
  id: row.id,
  source: { type: row.sourceType, id: row.sourceId },
  destination: row.destination,
  protocol: row.protocol,
  port_range_min: row.portRangeMin,
  port_range_max: row.portRangeMax,
  description: row.description,
  reason: row.reason,
  expires_at: row.expiresAtMs === null ? null : iso(row.expiresAtMs),
  status: row.expiresAtMs !== null && row.expiresAtMs <= nowMs ? 'expired' : 'active',
  created_by: row.createdBy,
  created_at: iso(row.createdAtMs),
  updated_at: iso(row.updatedAtMs),
});
