import { runners } from '../../db/schema/fleet.ts';
import { pause } from '../../runner/host/wait.ts';
import type { Need } from '../../worker/compute/schedule/filters.ts';
import { hostReads, hostsOf } from '../../worker/compute/schedule/hosts.ts';
import { pickHost } from '../../worker/compute/schedule/pick-host.ts';
import { runBatch } from '../../worker/http/commit.ts';
import type { Context } from '../../worker/http/context.ts';
import { REGION, startCloud } from '../cloud.ts';
import { figure, quantile } from './figures.ts';

const HOSTS = 1_000;
const ROUNDS = 200;
const ROWS_PER_INSERT = 50;
const NEED: Need = {
  ...{ vcpus: 1, memoryMib: 512, diskGib: 1, zone: null, host: null },
  ...{ within: null, without: new Set<string>(), group: null, demands: [] },
};

/** A place for a server among a thousand hosts: the read from the database, what is made of it, and the choice. */
export async function placement(): Promise<void> {
  const cloud = await startCloud();
  try {
    const { db } = cloud.edge;
    const nowMs = Date.now();
    for (let at = 0; at < HOSTS; at += ROWS_PER_INSERT) {
      await db
        .insert(runners)
        .values(Array.from({ length: ROWS_PER_INSERT }, (_, index) => hostRow(at + index, nowMs)));
    }
    const ctx = { db, region: REGION } as Context;
    const [reads, picks]: [number[], number[]] = [[], []];
    for (let round = 0; round < ROUNDS; round += 1) {
      const began = performance.now();
      const rows = await runBatch(db, hostReads(ctx));
      const read = performance.now();
      const picked = pickHost(hostsOf(rows), NEED, { nowMs, attempt: 0, random: { below: () => 0 } });
      if (!('host' in picked)) throw new Error(picked.refusal);
      reads.push(read - began);
      picks.push(performance.now() - read);
      await pause(0);
    }
    figure(`placement_read_${HOSTS}_hosts`, quantile(reads, 0.5), 'ms');
    figure(`placement_pick_${HOSTS}_hosts`, quantile(picks, 0.5), 'ms');
    figure(`placement_pick_${HOSTS}_hosts_p99`, quantile(picks, 0.99), 'ms');
  } finally {
    await cloud.stop();
  }
}

function hostRow(index: number, nowMs: number): typeof runners.$inferInsert {
  const size = { vcpus: 64 + (index % 7), memoryMib: 262_144, diskGib: 4_000 };
  return {
    id: crypto.randomUUID(),
    region: REGION,
    name: `host-${index}`,
    zone: `zone-${index % 3}`,
    publicKey: 'k',
    machineId: String(index),
    state: 'enabled',
    connected: true,
    leaseExpiresAtMs: nowMs + 3_600_000,
    hypervisor: 'qemu',
    capabilities: ['arch:x86_64', 'accelerator:kvm', 'limit:cpu', 'limit:memory', 'limit:io'],
    ...size,
    vcpusAllocatable: size.vcpus * 4,
    memoryMibAllocatable: size.memoryMib,
    diskGibAllocatable: size.diskGib,
    vcpusClaimed: index % 50,
    createdAtMs: nowMs,
    updatedAtMs: nowMs,
  };
}
