import { sql } from 'drizzle-orm';
import { type FlavorSnapshot, servers } from '../../../db/schema/compute.ts';
import type { ServerSpec } from '../../../shared/specs/server.ts';
import { putDesired } from '../../fleet/desired.ts';
import type { Statement } from '../../http/commit.ts';
import type { ProjectContext } from '../../http/context.ts';
import type { ServerImage } from '../../image/image-ref.ts';
import type { FlavorRow } from '../flavors/views.ts';
import type { KeypairRow } from '../keypairs/views.ts';
import type { Host } from '../schedule/filters.ts';
import type { Claim } from '../schedule/hosts.ts';
import type { NewServer } from './new-server.ts';
import { TASK_DEADLINES_MS } from './tasks.ts';

/** One server of a request, with all that was read for it. */
export interface Blueprint {
  id: string;
  name: string;
  hostname: string;
  launchIndex: number;
  reservationId: string;
  wanted: NewServer;
  flavor: FlavorRow;
  image: ServerImage;
  keypair: KeypairRow | null;
  claim: Claim;
}

const snapshotOf = ({ flavor }: Blueprint): FlavorSnapshot => ({
  id: flavor.id,
  name: flavor.name,
  vcpus: flavor.vcpus,
  ramMib: flavor.ramMib,
  diskGib: flavor.diskGib,
  ephemeralGib: flavor.ephemeralGib,
  swapMib: flavor.swapMib,
  extraSpecs: flavor.extraSpecs,
});

type Placement = Pick<
  typeof servers.$inferInsert,
  | 'runnerId'
  | 'zone'
  | 'vmState'
  | 'taskState'
  | 'taskDeadlineMs'
  | 'fault'
  | 'claimedVcpus'
  | 'claimedMemoryMib'
  | 'claimedDiskGib'
>;

function insertServer(ctx: ProjectContext, blueprint: Blueprint, placement: Placement): Statement {
  const { wanted } = blueprint;
  const now = ctx.clock.nowMs();
  return ctx.db.insert(servers).values({
    id: blueprint.id,
    region: ctx.region,
    projectId: ctx.actor.projectId,
    userId: ctx.actor.userId,
    number: sql`(SELECT coalesce(max(number), 0) + 1 FROM servers WHERE region = ${ctx.region})`,
    name: blueprint.name,
    hostname: blueprint.hostname,
    description: wanted.description,
    flavor: snapshotOf(blueprint),
    imageId: blueprint.image.image.id,
    keyName: wanted.keyName,
    reservationId: blueprint.reservationId,
    launchIndex: blueprint.launchIndex,
    configDrive: wanted.configDrive,
    userData: wanted.userData,
    metadata: wanted.metadata,
    tags: wanted.tags,
    accessIpV4: wanted.accessIpV4,
    accessIpV6: wanted.accessIpV6,
    diskConfig: wanted.diskConfig,
    createdAtMs: now,
    updatedAtMs: now,
    ...placement,
  });
}

/** The row of a server on its host, which now builds it. */
export function insertPlaced(ctx: ProjectContext, blueprint: Blueprint, host: Host): Statement {
  return insertServer(ctx, blueprint, {
    runnerId: host.id,
    zone: host.zone,
    vmState: 'building',
    taskState: 'spawning',
    taskDeadlineMs: ctx.clock.nowMs() + TASK_DEADLINES_MS.spawning,
    claimedVcpus: blueprint.claim.vcpus,
    claimedMemoryMib: blueprint.claim.memoryMib,
    claimedDiskGib: blueprint.claim.diskGib,
  });
}

/** The row of a server that found no host. */
export function insertUnplaced(ctx: ProjectContext, blueprint: Blueprint, why: string): Statement {
  return insertServer(ctx, blueprint, {
    zone: blueprint.wanted.zone ?? '',
    vmState: 'error',
    fault: { code: 500, message: why, createdAtMs: ctx.clock.nowMs() },
  });
}

function specOf(ctx: ProjectContext, blueprint: Blueprint, host: Host, portIds: string[]): ServerSpec {
  const { wanted, flavor, image, keypair, claim } = blueprint;
  return {
    id: blueprint.id,
    epoch: 1,
    power: 'on',
    vcpus: claim.vcpus,
    memory_mib: claim.memoryMib,
    disk_gib: claim.diskGib,
    image: image.image,
    kernel: image.kernel,
    ramdisk: image.ramdisk,
    kernel_command_line: image.kernelCommandLine,
    disk_version: 1,
    rescue: null,
    ports: portIds,
    config_drive: wanted.configDrive,
    metadata: {
      uuid: blueprint.id,
      name: blueprint.name,
      hostname: blueprint.hostname,
      project_id: ctx.actor.projectId,
      availability_zone: host.zone,
      launch_index: blueprint.launchIndex,
      meta: wanted.metadata,
      public_keys: keypair ? { [keypair.name]: keypair.publicKey } : {},
      instance_type: flavor.name,
      vendor_data: {},
      user_data: wanted.userData,
    },
  };
}

/** What the host is told of the server. */
export function putServer(ctx: ProjectContext, blueprint: Blueprint, host: Host, portIds: string[]): Statement {
  const spec = specOf(ctx, blueprint, host, portIds);
  return putDesired(ctx.db, sql`runners.id = ${host.id}`, { kind: 'server', id: blueprint.id, spec });
}
