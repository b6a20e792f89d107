import { and, eq, type SQL, sql } from 'drizzle-orm';
import { type FlavorSnapshot, keypairs, servers } from '../../../db/schema/compute.ts';
import type { Statement } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { badRequest } from '../../http/errors.ts';
import { authorize } from '../../http/policy.ts';
import { imageOf, imageReads, type ServerImage } from '../../image/image-ref.ts';
import type { Microversion } from '../http/microversion.ts';
import { Reads } from '../http/reads.ts';
import type { KeypairRow } from '../keypairs/views.ts';
import { policy } from '../policy.ts';
import { assertRequestLimits, requestLimitRefusals } from '../quotas/request-limits.ts';
import { imageDemands } from '../schedule/demands.ts';
import type { Host } from '../schedule/filters.ts';
import { hostReads, hostsOf } from '../schedule/hosts.ts';
import { startAction } from '../servers/actions.ts';
import { hostOf, patchDesiredMembers } from '../servers/desired-server.ts';
import { ownServer, serverNotFound } from '../servers/find-server.ts';
import { checkFits } from '../servers/flavor-fits.ts';
import { filesOf, limitedOf } from '../servers/personality.ts';
import { type ServerRow, selectServers, serverRows } from '../servers/server-rows.ts';
import { beginTask } from '../servers/tasks.ts';
import { commitTransition } from '../servers/transition.ts';
import type { RebuildRequest } from './rebuild-schema.ts';

const POLICY_ACTION = 'os_compute_api:servers:rebuild';

/**
 * Gives a server a new disk from an image, and what else the request changes of it; its ports, its address and its host stay.
 * One that is off stays off.
 * @returns the server, as it now is
 * @throws ApiError 400 no such image or key, or an image that the flavor or the host is not good for; 403 too much metadata; 404; 409 in another state
 */
export async function rebuildServer(
  ctx: ActorContext,
  id: string,
  wanted: RebuildRequest,
  version: Microversion,
): Promise<ServerRow> {
  authorize(ctx, policy, POLICY_ACTION);
  refuseUnoffered(wanted);
  const { image, keypair } = await readForRebuild(ctx, id, wanted);
  const results = await commitTransition(ctx, {
    id,
    verb: 'rebuild',
    costs: true,
    policyAction: POLICY_ACTION,
    allowed: { vmStates: ['active', 'stopped', 'error'], launched: true },
    statements: [
      ...assertRequestLimits(ctx, {
        metadata_items: Object.keys(wanted.metadata ?? {}).length,
        ...limitedOf(filesOf(wanted.personality)),
      }),
      // The power that it shall have is that of the state before.
      patchDesiredMembers(ctx.db, id, specChanges(id, wanted, image, keypair)),
      beginTask(ctx, id, 'rebuilding'),
      changeRow(ctx, id, wanted, image),
      ...startAction(ctx, { serverId: id, action: 'rebuild' }),
      selectServers(ctx.db, {
        where: ownServer(ctx, id),
        userData: version >= 57,
        serverGroups: version >= 71,
      }),
    ],
    touches: hostOf(id),
    detail: { imageId: image.image.id },
    refusals: requestLimitRefusals(ctx),
  });
  const row = serverRows(results.at(-1))[0];
  if (!row) throw serverNotFound(id);
  return row;
}

function refuseUnoffered(wanted: RebuildRequest): void {
  if (wanted.trusted_image_certificates) {
    throw badRequest('Image signatures are not verified here: leave trusted_image_certificates out.');
  }
}

async function readForRebuild(
  ctx: ActorContext,
  id: string,
  wanted: RebuildRequest,
): Promise<{ image: ServerImage; keypair: KeypairRow | null }> {
  const reads = new Reads();
  const ofImage = reads.add(...imageReads(ctx, wanted.imageRef));
  const ofServer = reads.add(
    ctx.db
      .select({ flavor: servers.flavor, diskGib: servers.claimedDiskGib })
      .from(servers)
      .where(ownServer(ctx, id, 'servers')),
  );
  const ofKeypair = wanted.key_name ? reads.add(keypairRead(ctx, wanted.key_name)) : null;
  const ofHost = reads.add(...hostReads(ctx, sql`(SELECT runner_id FROM servers WHERE id = ${id})`));
  await reads.run(ctx.db);
  const [server] = ofServer()[0] as { flavor: FlavorSnapshot; diskGib: number }[];
  if (!server) throw serverNotFound(id);
  const image = imageOf(ctx, wanted.imageRef, ofImage());
  // What a flavor without a disk gave the server is what it keeps.
  checkFits({ ...server.flavor, diskGib: server.flavor.diskGib || server.diskGib }, image);
  const [host] = hostsOf(ofHost());
  if (host) checkRuns(host, image);
  const [keypair] = (ofKeypair?.()[0] ?? []) as KeypairRow[];
  if (wanted.key_name && !keypair) throw badRequest('Invalid key_name provided.');
  return { image, keypair: keypair ?? null };
}

/** @throws ApiError 400 the server's host does not run such an image */
function checkRuns(host: Host, image: ServerImage): void {
  const unmet = imageDemands(image.properties).find((demand) => !demand.holds(host));
  if (unmet) throw badRequest(`No valid host was found. The server's host is ${unmet.refused}.`);
}

const keypairRead = (ctx: ActorContext, name: string): Statement =>
  ctx.db
    .select()
    .from(keypairs)
    .where(and(eq(keypairs.region, ctx.region), eq(keypairs.userId, ctx.actor.userId), eq(keypairs.name, name)));

function specChanges(id: string, wanted: RebuildRequest, image: ServerImage, keypair: KeypairRow | null) {
  const json = (value: unknown) => sql`json(${JSON.stringify(value)})`;
  const keys = keypair ? { [keypair.name]: keypair.publicKey } : {};
  return {
    '$.image': json(image.image),
    '$.kernel': json(image.kernel),
    '$.ramdisk': json(image.ramdisk),
    '$.kernel_command_line': json(image.kernelCommandLine),
    '$.disk_version': sql`coalesce(spec ->> '$.disk_version', 1) + 1`,
    '$.rescue': json(null),
    '$.power': sql`(SELECT CASE WHEN vm_state = 'stopped' THEN 'off' ELSE 'on' END FROM servers WHERE id = ${id})`,
    ...(wanted.personality === undefined ? {} : { '$.metadata.files': json(filesOf(wanted.personality)) }),
    ...(wanted.name === undefined ? {} : { '$.metadata.name': sql`${wanted.name}` }),
    ...(wanted.hostname === undefined ? {} : { '$.metadata.hostname': sql`${wanted.hostname}` }),
    ...(wanted.metadata === undefined ? {} : { '$.metadata.meta': json(wanted.metadata) }),
    ...(wanted.key_name === undefined ? {} : { '$.metadata.public_keys': json(keys) }),
    ...(wanted.user_data === undefined ? {} : { '$.metadata.user_data': json(wanted.user_data) }),
  };
}

function changeRow(ctx: ActorContext, id: string, wanted: RebuildRequest, image: ServerImage): Statement {
  const columns: Record<string, unknown> = {
    image_id: image.image.id,
    name: wanted.name,
    hostname: wanted.hostname,
    description: wanted.description,
    key_name: wanted.key_name,
    user_data: wanted.user_data,
    access_ip_v4: wanted.accessIPv4,
    access_ip_v6: wanted.accessIPv6,
    disk_config: wanted['OS-DCF:diskConfig'],
    metadata: wanted.metadata === undefined ? undefined : JSON.stringify(wanted.metadata),
  };
  const sets: SQL[] = [sql`progress = 0`];
  for (const [column, value] of Object.entries(columns)) {
    if (value !== undefined) sets.push(sql`${sql.raw(column)} = ${value}`);
  }
  return ctx.db.run(sql`UPDATE servers SET ${sql.join(sets, sql`, `)} WHERE id = ${id}`);
}
