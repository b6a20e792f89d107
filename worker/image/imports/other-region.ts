import { type SQL, sql } from 'drizzle-orm';
import { type ImportTaskInput, images } from '../../../db/schema/image.ts';
import type { ActorContext, Context } from '../../http/context.ts';
import { badRequest, notFound } from '../../http/errors.ts';
import { UUID_PATTERN } from '../formats.ts';
import type { ImageRow } from '../views.ts';
import { type Viewer, visibleImages } from '../visible.ts';
import type { OpenSource } from './open-source.ts';

type Method = ImportTaskInput['import_req']['method'];

/** Glance's own list: properties that go with an image to another region, by how their names begin. */
const TAKEN_ALONG = ['hw_', 'trait:', 'os_distro', 'os_secure_boot', 'os_type'];
const INTERFACES = ['public', 'internal', 'admin'];

/** The properties of an image that one made from it in another region has, too. */
export const takenAlong = ({ properties }: ImageRow): Record<string, string> =>
  Object.fromEntries(
    Object.entries(properties).filter(([name]) => TAKEN_ALONG.some((start) => name.startsWith(start))),
  );

/**
 * The image of another region, or of the same, that an import names, as far as the actor may see it there. All regions
 * share users and the store, so that its data is at hand.
 * @returns undefined where there is none with data
 * @throws ApiError 400 the request does not name one
 */
export async function findOther(ctx: ActorContext, method: Method): Promise<ImageRow | undefined> {
  const { glance_region: region, glance_image_id: id, glance_service_interface: endpoint = 'public' } = method;
  if (typeof region !== 'string') throw badRequest("'glance_region' needs to be set for glance-download import method");
  if (typeof id !== 'string') throw badRequest("'glance_image_id' needs to be set for glance-download import method");
  if (!new RegExp(UUID_PATTERN).test(id)) throw badRequest(`Remote image id does not look like a UUID: ${id}`);
  if (!INTERFACES.includes(String(endpoint))) return undefined;
  const [row] = await ctx.db
    .select()
    .from(images)
    .where(activeImage(id, { ...ctx, region }));
  return row;
}

/**
 * Opens the data of an image that `findOther` found when the import was asked for.
 * @param asker - who may have lost the sight of it since
 * @throws ApiError 404 it is gone meanwhile, or not the asker's to see any more
 */
export async function openOther(ctx: Context, method: Method, asker: Viewer['actor']): Promise<OpenSource> {
  const { glance_region: region, glance_image_id: id } = method;
  const [row] = await ctx.db
    .select()
    .from(images)
    .where(activeImage(String(id), { region: String(region), actor: asker }));
  const body = row?.blobKey ? await ctx.blobs.get(row.blobKey) : null;
  if (!row || !body) throw notFound(`Image ${id} is no longer in region ${region}`);
  return { body, contentLength: row.sizeBytes ?? undefined, like: row };
}

const activeImage = (id: string, viewer: Viewer): SQL =>
  sql`images.id = ${id.toLowerCase()} AND images.status = 'active' AND ${visibleImages(viewer)}`;
