import type { Capacity } from '../../shared/protocol/messages.ts';

/** Guests share processors; memory and disk are theirs alone. */
export const VCPU_RATIO = 4;
export const MEMORY_RATIO = 1;
export const DISK_RATIO = 1;
/** What a host keeps for itself. */
export const HOST_MEMORY_RESERVED_MIB = 512;

/** What placements may hand out of a machine. */
export function allocatable(capacity: Capacity): Capacity {
  return {
    vcpus: capacity.vcpus * VCPU_RATIO,
    memory_mib: Math.max(0, Math.floor((capacity.memory_mib - HOST_MEMORY_RESERVED_MIB) * MEMORY_RATIO)),
    disk_gib: Math.floor(capacity.disk_gib * DISK_RATIO),
  };
}

/** The columns of `runners` that a capacity fills. */
export function capacityColumns(capacity: Capacity) {
  const shares = allocatable(capacity);
  return {
    vcpus: capacity.vcpus,
    memoryMib: capacity.memory_mib,
    diskGib: capacity.disk_gib,
    vcpusAllocatable: shares.vcpus,
    memoryMibAllocatable: shares.memory_mib,
    diskGibAllocatable: shares.disk_gib,
  };
}
