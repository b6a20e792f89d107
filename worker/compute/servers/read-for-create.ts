import { and, eq, inArray } from 'drizzle-orm';
import { keypairs, servers } from '../../../db/schema/compute.ts';
import { runBatch, type Statement } from '../../http/commit.ts';
import type { ProjectContext } from '../../http/context.ts';
import { badRequest } from '../../http/errors.ts';
import { imageOf, imageReads, type ServerImage } from '../../image/image-ref.ts';
import type { Random } from '../../network/ipam/random.ts';
import { type ServerPortsInput, serverPortReads } from '../../network/server-ports.ts';
import { flavorNotFound, flavorRead } from '../flavors/find-flavor.ts';
import type { FlavorRow } from '../flavors/views.ts';
import type { KeypairRow } from '../keypairs/views.ts';
import type { Host } from '../schedule/filters.ts';
import { hostRead } from '../schedule/hosts.ts';
import type { NewServer } from './new-server.ts';

/** All that a create decides by. */
export interface Found {
  flavor: FlavorRow;
  image: ServerImage;
  keypair: KeypairRow | null;
  hosts: Host[];
  /** Where the servers of the scheduler hints are. */
  hinted: { id: string; runnerId: string | null }[];
  /** What `planServerPorts` takes. */
  portRows: unknown[];
}

/**
 * Reads all that a create needs, in one batch.
 * @throws ApiError 400 no such flavor, image or key
 */
export async function readForCreate(
  ctx: ProjectContext,
  wanted: NewServer,
  ports: ServerPortsInput,
  random: Random,
): Promise<Found> {
  const ofImage = imageReads(ctx, wanted.imageId);
  const own = [
    flavorRead(ctx, wanted.flavorId),
    keypairRead(ctx, wanted.keyName),
    hostRead(ctx),
    hintRead(ctx, [...wanted.sameHost, ...wanted.differentHost]),
  ];
  const results = await runBatch(ctx.db, [...own, ...ofImage, ...serverPortReads(ctx, ports, random)]);
  const [flavor] = results[0] as FlavorRow[];
  const [keypair] = results[1] as KeypairRow[];
  if (!flavor) throw badRequest(flavorNotFound(wanted.flavorId).message);
  if (wanted.keyName !== null && !keypair) throw badRequest('Invalid key_name provided.');
  return {
    flavor,
    keypair: keypair ?? null,
    hosts: results[2] as Host[],
    hinted: results[3] as Found['hinted'],
    image: imageOf(ctx, wanted.imageId, results.slice(own.length, own.length + ofImage.length)),
    portRows: results.slice(own.length + ofImage.length),
  };
}

const keypairRead = (ctx: ProjectContext, name: string | null): Statement =>
  ctx.db
    .select()
    .from(keypairs)
    .where(and(eq(keypairs.region, ctx.region), eq(keypairs.userId, ctx.actor.userId), eq(keypairs.name, name ?? '')));

const hintRead = (ctx: ProjectContext, ids: string[]): Statement =>
  ctx.db
    .select({ id: servers.id, runnerId: servers.runnerId })
    .from(servers)
    .where(and(inArray(servers.id, ids), eq(servers.projectId, ctx.actor.projectId)));
