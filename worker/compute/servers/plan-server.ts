import { sql } from 'drizzle-orm';
import { servers } from '../../../db/schema/compute.ts';
import type { ServerSpec } from '../../../shared/specs/server.ts';
import type { Offer } from '../../billing/reports/quote.ts';
import { putDesired } from '../../fleet/desired.ts';
import { assertThat, type Statement } from '../../http/commit.ts';
import type { ProjectContext } from '../../http/context.ts';
import type { ServerImage } from '../../image/image-ref.ts';
import { snapshotOf } from '../flavors/flavor-snapshot.ts';
import type { FlavorRow } from '../flavors/views.ts';
import type { KeypairRow } from '../keypairs/views.ts';
import type { Host } from '../schedule/filters.ts';
import type { Claim } from '../schedule/hosts.ts';
import type { PlacedGroup } from '../server-groups/placement.ts';
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
  group: PlacedGroup | null;
  /** What it will cost, where it costs something. */
  offer: Offer | null;
}

/** The assertion that a server of several still waits for its host. */
export const RESERVED = 'reserved';

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

/** The row of a new server. */
export function insertServer(ctx: ProjectContext, blueprint: Blueprint, placement: Placement): Statement {
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
    flavor: snapshotOf(blueprint.flavor),
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

/** Where a server of a request is: a new row, or, for one of several, the row that was reserved for it. */
export function rowOf(ctx: ProjectContext, blueprint: Blueprint, placement: Placement): Statement[] {
  if (blueprint.wanted.count === 1) return [insertServer(ctx, blueprint, placement)];
  const waiting = sql`id = ${blueprint.id} AND task_state = 'scheduling' AND runner_id IS NULL AND deleted_at_ms IS NULL`;
  return [
    assertThat(ctx.db, RESERVED, sql`EXISTS (SELECT 1 FROM servers WHERE ${waiting})`),
    ctx.db
      .update(servers)
      .set({
        hostname: blueprint.hostname,
        taskState: null,
        taskDeadlineMs: null,
        ...placement,
        updatedAtMs: ctx.clock.nowMs(),
      })
      .where(waiting),
  ];
}

/** A server that waits for its host. */
export const unscheduled = (ctx: ProjectContext, { wanted }: Blueprint): Placement => ({
  zone: wanted.zone ?? '',
  vmState: 'building',
  taskState: 'scheduling',
  taskDeadlineMs: ctx.clock.nowMs() + TASK_DEADLINES_MS.scheduling,
});

/** A server on its host, which now builds it. */
export const placed = (ctx: ProjectContext, { claim }: Blueprint, host: Host): Placement => ({
  runnerId: host.id,
  zone: host.zone,
  vmState: 'building',
  taskState: 'spawning',
  taskDeadlineMs: ctx.clock.nowMs() + TASK_DEADLINES_MS.spawning,
  claimedVcpus: claim.vcpus,
  claimedMemoryMib: claim.memoryMib,
  claimedDiskGib: claim.diskGib,
});

/** A server that found no host. */
export const unplaced = (ctx: ProjectContext, { wanted }: Blueprint, why: string): Placement => ({
  zone: wanted.zone ?? '',
  vmState: 'error',
  fault: { code: 500, message: why, createdAtMs: ctx.clock.nowMs() },
});

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
    incoming: null,
    old_disk: null,
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
      ...(wanted.files.length > 0 ? { files: wanted.files } : {}),
      device_tags: deviceTags(wanted.networks, portIds),
    },
  };
}

/** Ports are in the order of the networks asked for. */
function deviceTags(networks: NewServer['networks'], portIds: readonly string[]): Record<string, string> {
  if (typeof networks === 'string') return {};
  return Object.fromEntries(
    networks.flatMap(({ tag }, index) => {
      const port = portIds[index];
      return tag === undefined || port === undefined ? [] : [[port, tag]];
    }),
  );
}

/** What the host is told of the server. */
export function putServer(ctx: ProjectContext, blueprint: Blueprint, host: Host, portIds: string[]): Statement {
  const spec = specOf(ctx, blueprint, host, portIds);
  return putDesired(ctx.db, sql`runners.id = ${host.id}`, { kind: 'server', id: blueprint.id, spec });
}
