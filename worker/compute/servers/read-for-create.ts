import { and, eq, inArray, or, sql } from 'drizzle-orm';
import { keypairs, servers } from '../../../db/schema/compute.ts';
import { type Offer, offerOf, offerRead } from '../../billing/reports/quote.ts';
import type { Statement } from '../../http/commit.ts';
import type { ProjectContext } from '../../http/context.ts';
import { badRequest } from '../../http/errors.ts';
import { imageOf, imageReads, type ServerImage } from '../../image/image-ref.ts';
import type { Random } from '../../network/ipam/random.ts';
import { type ServerPortsInput, serverPortReads } from '../../network/server-ports.ts';
import { flavorNotFound, flavorRead } from '../flavors/find-flavor.ts';
import type { FlavorRow } from '../flavors/views.ts';
import { Reads } from '../http/reads.ts';
import type { KeypairRow } from '../keypairs/views.ts';
import type { Host } from '../schedule/filters.ts';
import { hostReads, hostsOf } from '../schedule/hosts.ts';
import { groupNotFound } from '../server-groups/group-rows.ts';
import { type PlacedGroup, placedGroupOf, placedGroupRead } from '../server-groups/placement.ts';
import type { NewServer } from './new-server.ts';

/** All that a create decides by. */
export interface Found {
  flavor: FlavorRow;
  image: ServerImage;
  keypair: KeypairRow | null;
  hosts: Host[];
  /** Where the servers of the scheduler hints are. */
  hinted: { id: string; runnerId: string | null }[];
  /** The server group of the scheduler hints. */
  group: PlacedGroup | null;
  /** What it is charged by; null where it costs nothing. */
  offer: Offer | null;
  /** What `planServerPorts` takes. */
  portRows: unknown[];
}

/**
 * Reads all that a create needs, in one batch.
 * @throws ApiError 400 no such flavor, image, key or server group
 */
export async function readForCreate(
  ctx: ProjectContext,
  wanted: NewServer,
  ports: ServerPortsInput,
  random: Random,
): Promise<Found> {
  const reads = new Reads();
  const ofFlavor = reads.add(flavorRead(ctx, wanted.flavorId));
  const flavorName = sql`(SELECT name FROM flavors WHERE id = ${wanted.flavorId} AND region = ${ctx.region})`;
  const ofOffer = reads.add(offerRead(ctx, 'server', flavorName));
  const ofHosts = reads.add(...hostReads(ctx));
  const ofKeypair = wanted.keyName === null ? null : reads.add(keypairRead(ctx, wanted.keyName));
  const ofHints = isHinted(wanted) ? reads.add(hintRead(ctx, wanted)) : null;
  const ofGroup = wanted.groupId === null ? null : reads.add(placedGroupRead(ctx, { groupId: wanted.groupId }));
  const ofImage = reads.add(...imageReads(ctx, wanted.imageId));
  const ofPorts = reads.add(...serverPortReads(ctx, ports, random));
  await reads.run(ctx.db);
  const [flavor] = ofFlavor()[0] as FlavorRow[];
  const [keypair] = (ofKeypair?.()[0] ?? []) as KeypairRow[];
  if (!flavor) throw badRequest(flavorNotFound(wanted.flavorId).message);
  if (wanted.keyName !== null && !keypair) throw badRequest('Invalid key_name provided.');
  const group = ofGroup ? placedGroupOf(ofGroup()[0]) : null;
  if (wanted.groupId !== null && !group) throw badRequest(groupNotFound(wanted.groupId).message);
  return {
    flavor,
    keypair: keypair ?? null,
    hosts: hostsOf(ofHosts()),
    offer: offerOf(ofOffer()[0] as Record<string, unknown>[]),
    group,
    hinted: (ofHints?.()[0] ?? []) as Found['hinted'],
    image: imageOf(ctx, wanted.imageId, ofImage()),
    portRows: ofPorts(),
  };
}

const keypairRead = (ctx: ProjectContext, name: string): Statement =>
  ctx.db
    .select()
    .from(keypairs)
    .where(and(eq(keypairs.region, ctx.region), eq(keypairs.userId, ctx.actor.userId), eq(keypairs.name, name)));

const isHinted = ({ sameHost, differentHost }: NewServer) => sameHost.length > 0 || differentHost.length > 0;

/** As with Nova, a server may keep away from those of others; but nobody comes near them. */
const hintRead = (ctx: ProjectContext, { sameHost, differentHost }: NewServer): Statement =>
  ctx.db
    .select({ id: servers.id, runnerId: servers.runnerId })
    .from(servers)
    .where(
      or(
        inArray(servers.id, differentHost),
        and(inArray(servers.id, sameHost), eq(servers.projectId, ctx.actor.projectId)),
      ),
    );
