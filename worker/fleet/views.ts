import type { joinTokens, runners } from '../../db/schema/fleet.ts';
import { isoOrNull } from '../http/times.ts';
import type { RunnerRow } from './runner-rows.ts';

/** Whether a runner's socket is there, gone for the moment, or gone for longer than its lease. */
export function runnerStatus(
  row: Pick<typeof runners.$inferSelect, 'connected' | 'leaseExpiresAtMs'>,
  nowMs: number,
): string {
  if ((row.leaseExpiresAtMs ?? 0) <= nowMs) return 'down';
  return row.connected ? 'connected' : 'disconnected';
}

/** A runner as `/aerostat/v1/runners` shows it. */
export function runnerView(row: RunnerRow, nowMs: number) {
  return {
    id: row.id,
    name: row.name,
    region: row.region,
    zone: row.zone,
    state: row.state,
    state_reason: row.stateReason,
    status: runnerStatus(row, nowMs),
    last_seen_at: isoOrNull(row.lastSeenAtMs),
    version: row.version,
    hypervisor: row.hypervisor,
    capabilities: row.capabilities,
    epoch: row.epoch,
    generation: row.generation,
    guests: row.guests,
    pending_objects: row.pending,
    capacity: { vcpus: row.vcpus, memory_mib: row.memoryMib, disk_gib: row.diskGib },
    allocatable: {
      vcpus: row.vcpusAllocatable,
      memory_mib: row.memoryMibAllocatable,
      disk_gib: row.diskGibAllocatable,
    },
    claimed: { vcpus: row.vcpusClaimed, memory_mib: row.memoryMibClaimed, disk_gib: row.diskGibClaimed },
    unknown_objects: row.unknownObjects.map(({ kind, id, sinceMs }) => ({ kind, id, since: isoOrNull(sinceMs) })),
    created_at: isoOrNull(row.createdAtMs),
    updated_at: isoOrNull(row.updatedAtMs),
  };
}

/** A join token without its secret. */
export function joinTokenView(row: typeof joinTokens.$inferSelect) {
  return {
    id: row.id,
    zone: row.zone,
    created_at: isoOrNull(row.createdAtMs),
    expires_at: isoOrNull(row.expiresAtMs),
    used_at: isoOrNull(row.usedAtMs),
    used_by_runner_id: row.usedByRunnerId,
  };
}
