import { type SQL, sql } from 'drizzle-orm';
import { servers } from '../../../db/schema/compute.ts';
import { AssertionFailed, runBatch, type Statement } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { badRequest, conflict } from '../../http/errors.ts';
import { authorize } from '../../http/policy.ts';
import { imageOf, imageReads, type ServerImage } from '../../image/image-ref.ts';
import { cryptoRandom, type Random } from '../../network/ipam/random.ts';
import type { CarriedNetwork } from '../../network/networks/carried-networks.ts';
import { bindServerPorts, readCarriedOfServer } from '../../network/server-ports.ts';
import { Reads } from '../http/reads.ts';
import { policy } from '../policy.ts';
import { flavorDemands, imageDemands } from '../schedule/demands.ts';
import type { Host } from '../schedule/filters.ts';
import { CLAIM, type Claim, hostReads, hostsOf, takeClaim } from '../schedule/hosts.ts';
import { networkDemands } from '../schedule/network-demands.ts';
import { pickHost } from '../schedule/pick-host.ts';
import { assertGroup, GROUP, type PlacedGroup, placedGroupOf, placedGroupRead } from '../server-groups/placement.ts';
import { finishedAction, startAction } from '../servers/actions.ts';
import { hostOf, patchDesiredServer } from '../servers/desired-server.ts';
import { ownServer, serverNotFound } from '../servers/find-server.ts';
import { claimOf } from '../servers/flavor-fits.ts';
import { beginTask } from '../servers/tasks.ts';
import { type Allowed, commitTransition } from '../servers/transition.ts';

const ACTION = 'os_compute_api:os-shelve:unshelve';
const SHELVED: Allowed = { vmStates: ['shelved', 'shelved_offloaded'], launched: true, hostless: true };
/** Races for a host's last room that one unshelve may lose. */
const RACES_MAX = 12;

/** Where an unshelved server is wanted: `zone` is null for any, and undefined for the one it was in. */
export interface Destination {
  zone?: string | null | undefined;
  host?: string | undefined;
}

/**
 * Brings a shelved server back, from the image of its disk, to a host with room for it.
 * @throws ApiError 400 no such zone or host; 404; 409 not shelved, busy, or a destination for one that still has its host
 */
export async function unshelveServer(
  ctx: ActorContext,
  id: string,
  to: Destination,
  random: Random = cryptoRandom,
): Promise<void> {
  authorize(ctx, policy, ACTION);
  for (let attempt = 0; ; attempt++) {
    try {
      return await attemptOne(ctx, id, to, { attempt, random });
    } catch (error) {
      const lost = error instanceof AssertionFailed && (error.assertion === CLAIM || error.assertion === GROUP);
      if (!lost || attempt >= RACES_MAX) throw error;
    }
  }
}

interface Found {
  server: Pick<typeof servers.$inferSelect, 'vmState' | 'zone' | 'flavor' | 'shelvedImageId' | 'runnerId'>;
  hosts: Host[];
  group: PlacedGroup | null;
  networks: CarriedNetwork[];
}

async function attemptOne(
  ctx: ActorContext,
  id: string,
  to: Destination,
  chance: { attempt: number; random: Random },
): Promise<void> {
  const { server, hosts, group, networks } = await read(ctx, id);
  checkDestination(ctx, id, to, { server, hosts });
  if (server.runnerId !== null || server.shelvedImageId === null) return turnOn(ctx, id);
  const image = imageOf(ctx, server.shelvedImageId, await runBatch(ctx.db, imageReads(ctx, server.shelvedImageId)));
  const claim = claimOf(ctx, server.flavor, image);
  const zone = to.zone === undefined && to.host === undefined ? server.zone : (to.zone ?? null);
  const demands = [
    ...flavorDemands(server.flavor.extraSpecs),
    ...imageDemands(image.properties),
    ...networkDemands(networks),
  ];
  const need = { ...claim, zone, host: to.host ?? null, within: null, without: new Set<string>(), group, demands };
  const picked = pickHost(hosts, need, { nowMs: ctx.clock.nowMs(), ...chance });
  if ('host' in picked) await commitPlaced(ctx, id, { host: picked.host, claim, image, group });
  else await commitUnplaced(ctx, id, picked.refusal);
}

async function read(ctx: ActorContext, id: string): Promise<Found> {
  const reads = new Reads();
  const ofServer = reads.add(
    ctx.db
      .select()
      .from(servers)
      .where(ownServer(ctx, id, 'servers')),
  );
  const ofHosts = reads.add(...hostReads(ctx));
  const ofGroup = reads.add(placedGroupRead(ctx, { serverId: id }));
  const ofNetworks = reads.add(readCarriedOfServer(ctx, id));
  await reads.run(ctx.db);
  const [server] = ofServer()[0] as (typeof servers.$inferSelect)[];
  if (!server) throw serverNotFound(id);
  const networks = ofNetworks()[0] as CarriedNetwork[];
  return { server, hosts: hostsOf(ofHosts()), group: placedGroupOf(ofGroup()[0]), networks };
}

function checkDestination(
  ctx: ActorContext,
  id: string,
  to: Destination,
  found: Pick<Found, 'server' | 'hosts'>,
): void {
  const { server, hosts } = found;
  if (to.zone === undefined && to.host === undefined) return;
  if (server.vmState !== 'shelved_offloaded') {
    throw conflict(
      `Specifying an availability zone or a host when unshelving server "${id}" with status "${server.vmState}" is not supported. The server status must be SHELVED_OFFLOADED.`,
    );
  }
  if (to.zone && !hosts.some((host) => host.zone === to.zone && host.state === 'enabled')) {
    throw badRequest('The requested availability zone is not available');
  }
  if (to.host === undefined) return;
  authorize(ctx, policy, 'os_compute_api:os-shelve:unshelve_to_host');
  const host = hosts.find((one) => one.name === to.host);
  if (!host) throw badRequest(`Compute host ${to.host} could not be found.`);
  if (to.zone && host.zone !== to.zone) {
    throw conflict(`Host "${to.host}" is not in the availability zone "${to.zone}".`);
  }
}

/** One that never left its host. */
async function turnOn(ctx: ActorContext, id: string): Promise<void> {
  await commitTransition(ctx, {
    id,
    verb: 'unshelve',
    costs: true,
    policyAction: ACTION,
    allowed: { ...SHELVED, hostless: false },
    statements: [
      beginTask(ctx, id, 'unshelving'),
      patchDesiredServer(ctx.db, id, { path: '$.power', value: sql`'on'` }),
      ...startAction(ctx, { serverId: id, action: 'unshelve' }),
    ],
    touches: hostOf(id),
  });
}

async function commitPlaced(
  ctx: ActorContext,
  id: string,
  at: { host: Host; claim: Claim; image: ServerImage; group: PlacedGroup | null },
): Promise<void> {
  const { host, claim, image, group } = at;
  const ports = bindServerPorts(ctx, id, host.id);
  await commitTransition(ctx, {
    id,
    verb: 'unshelve',
    costs: true,
    policyAction: ACTION,
    allowed: { ...SHELVED, vmStates: ['shelved_offloaded'] },
    statements: [
      ...takeClaim(ctx, host, claim),
      ...(group ? assertGroup(ctx, group, { serverId: id, runnerId: host.id }) : []),
      ...ports.statements,
      ctx.db.run(sql`
        UPDATE servers SET runner_id = ${host.id}, zone = ${host.zone}, epoch = epoch + 1, claimed_vcpus = ${claim.vcpus},
          claimed_memory_mib = ${claim.memoryMib}, claimed_disk_gib = ${claim.diskGib}, progress = 0 WHERE id = ${id}`),
      putUnshelved(ctx, id, { host, image }),
      beginTask(ctx, id, 'unshelving'),
      ...startAction(ctx, { serverId: id, action: 'unshelve' }),
    ],
    touches: sql`runners.id = ${host.id} OR ${ports.touches}`,
    detail: { host: host.name },
  });
}

/** What the new host is told: what the old one was, but for the disk, and for what has changed since. */
function putUnshelved(ctx: ActorContext, id: string, { host, image }: { host: Host; image: ServerImage }): Statement {
  const json = (value: unknown): SQL => sql`json(${JSON.stringify(value)})`;
  const ports = sql`(SELECT json_group_array(kept.value) FROM (SELECT k.value FROM json_each(s.shelved_spec, '$.ports') k
    JOIN ports p ON p.id = k.value AND p.device_id = s.id ORDER BY k.key) kept)`;
  const spec = sql`json_set(s.shelved_spec, '$.power', 'on', '$.epoch', s.epoch, '$.disk_version', 1, '$.rescue', json('null'),
    '$.image', ${json(image.image)}, '$.kernel', ${json(image.kernel)}, '$.ramdisk', ${json(image.ramdisk)},
    '$.kernel_command_line', ${json(image.kernelCommandLine)}, '$.ports', ${ports}, '$.metadata.name', s.name,
    '$.metadata.hostname', s.hostname, '$.metadata.meta', json(s.metadata), '$.metadata.availability_zone', s.zone)`;
  return ctx.db.run(sql`
    INSERT INTO desired (runner_id, kind, id, generation, spec, deleted)
    SELECT runners.id, 'server', s.id, runners.generation, ${spec}, 0 FROM runners, servers s WHERE runners.id = ${host.id} AND s.id = ${id}
    ON CONFLICT (runner_id, kind, id) DO UPDATE SET generation = excluded.generation, spec = excluded.spec, deleted = 0`);
}

/** It stays as it is, as with Nova; its action says why. */
async function commitUnplaced(ctx: ActorContext, id: string, why: string): Promise<void> {
  await commitTransition(ctx, {
    id,
    verb: 'unshelve',
    costs: true,
    policyAction: ACTION,
    allowed: { ...SHELVED, vmStates: ['shelved_offloaded'] },
    statements: finishedAction(ctx, {
      serverId: id,
      action: 'unshelve',
      event: 'conductor_unshelve_instance',
      failed: why,
    }),
    detail: { failed: why },
  });
}
