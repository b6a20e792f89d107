import { type SQL, sql } from 'drizzle-orm';
import type { Capacity } from '../../shared/protocol/messages.ts';

/** Guests share processors; memory and disk are theirs alone. An aggregate may say otherwise of its machines. */
const VCPU_RATIO = 4;
const MEMORY_RATIO = 1;
const DISK_RATIO = 1;
/** What a host keeps for itself. */
const HOST_MEMORY_RESERVED_MIB = 512;

/** The columns of `runners` that say what placements may hand out, of those that say what a machine has. */
const shareOf = (of: { vcpus: SQL; memoryMib: SQL; diskGib: SQL; ratios: boolean }) => {
  const ratio = (column: string, usual: number) =>
    of.ratios ? sql`coalesce(${sql.raw(column)}, ${usual})` : sql`${usual}`;
  return {
    vcpusAllocatable: sql<number>`CAST(${of.vcpus} * ${ratio('vcpu_ratio', VCPU_RATIO)} AS INTEGER)`,
    memoryMibAllocatable: sql<number>`CAST(max(0, ${of.memoryMib} - ${HOST_MEMORY_RESERVED_MIB}) * ${ratio('memory_ratio', MEMORY_RATIO)} AS INTEGER)`,
    diskGibAllocatable: sql<number>`CAST(${of.diskGib} * ${ratio('disk_ratio', DISK_RATIO)} AS INTEGER)`,
  };
};

/**
 * The columns of `runners` that a capacity fills.
 * @param row - whether there is a row already, with ratios of its own
 */
export function capacityColumns(capacity: Capacity, row: 'new' | 'known') {
  const of = {
    vcpus: sql`${capacity.vcpus}`,
    memoryMib: sql`${capacity.memory_mib}`,
    diskGib: sql`${capacity.disk_gib}`,
  };
  return {
    vcpus: capacity.vcpus,
    memoryMib: capacity.memory_mib,
    diskGib: capacity.disk_gib,
    ...shareOf({ ...of, ratios: row === 'known' }),
  };
}

/** The same of the row itself, when its ratios have changed. */
export const sharesOfRow = shareOf({
  vcpus: sql`vcpus`,
  memoryMib: sql`memory_mib`,
  diskGib: sql`disk_gib`,
  ratios: true,
});
