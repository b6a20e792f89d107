/** A forwarded port, as far as it is shown. */
export interface ForwardRow {
  id: string;
  description: string;
  protocol: string;
  portId: string;
  internalIpAddress: string;
  externalFirst: number | null;
  externalLast: number | null;
  internalFirst: number | null;
  internalLast: number | null;
}

/** One port by itself, several as a range. */
const ports = (side: 'external' | 'internal', first: number | null, last: number | null) =>
  first === last ? { [`${side}_port`]: first } : { [`${side}_port_range`]: `${first}:${last}` };

/** A forwarded port as its floating IP shows it. */
export const forwardSummary = (row: ForwardRow) => ({
  id: row.id,
  protocol: row.protocol,
  internal_port_id: row.portId,
  internal_ip_address: row.internalIpAddress,
  ...ports('external', row.externalFirst, row.externalLast),
  ...ports('internal', row.internalFirst, row.internalLast),
});
