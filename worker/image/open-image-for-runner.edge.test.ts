import { eq } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import { desired, operations, runners } from '../../db/schema/fleet.ts';
import { images } from '../../db/schema/image.ts';
import { edgeContext } from '../../test/edge-context.ts';
import { imageDataResponse } from './image-data.ts';
import { sweepLooseBlobs } from './loose-blobs.ts';
import { openImageForRunner } from './open-image-for-runner.ts';

const ctx = edgeContext();

/** An image with ten bytes of data. */
async function image(status: 'active' | 'deactivated' = 'active'): Promise<string> {
  const id = crypto.randomUUID();
  const blobKey = `images/${id.slice(0, 2)}/${crypto.randomUUID()}`;
  const pipe = new FixedLengthStream(10);
  const writer = pipe.writable.getWriter();
  const written = writer.write(new TextEncoder().encode('0123456789')).then(() => writer.close());
  await Promise.all([ctx.blobs.put(blobKey, pipe.readable, 10), written]);
  const row = { id, region: ctx.region, projectId: 'p', status, visibility: 'private' as const, blobKey };
  await ctx.db
    .insert(images)
    .values({ ...row, sizeBytes: 10, sha256: 'ab'.repeat(32), createdAtMs: 1, updatedAtMs: 1 });
  return id;
}

async function runner(): Promise<string> {
  const id = crypto.randomUUID();
  const row = {
    id,
    region: ctx.region,
    name: id,
    zone: 'nova',
    publicKey: '',
    machineId: id,
    state: 'enabled' as const,
  };
  await ctx.db.insert(runners).values({ ...row, createdAtMs: 1, updatedAtMs: 1 });
  return id;
}

async function wantServer(
  runnerId: string,
  spec: Record<string, unknown>,
  of: { kind?: string; deleted?: boolean } = {},
) {
  const row = { kind: 'server', id: crypto.randomUUID(), generation: 1, deleted: false, ...of };
  await ctx.db.insert(desired).values({ ...row, runnerId, spec: row.deleted ? null : spec });
  return row.id;
}

/** Asks a runner to have an image in its cache. */
async function askCache(runnerId: string, imageId: string, of: { state?: 'queued' | 'done'; kind?: string } = {}) {
  const opId = crypto.randomUUID();
  const row = { opId, runnerId, region: ctx.region, kind: 'cache-image', state: 'queued' as const, ...of };
  const target = { targetKind: 'image', targetId: imageId, targetEpoch: 0 };
  await ctx.db
    .insert(operations)
    .values({ ...row, ...target, requestId: 'r', args: {}, deadlineMs: Date.now() + 60_000, createdAtMs: 1 });
}
const unknown = expect.objectContaining({ status: 404 });

describe('an image for a runner', () => {
  it.each(['image', 'kernel', 'ramdisk'])('is given when a server of it needs it as %s', async (member) => {
    const [runnerId, imageId] = await Promise.all([runner(), image()]);
    const others = { image: { id: crypto.randomUUID() }, kernel: null, ramdisk: null };
    await wantServer(runnerId, { ...others, [member]: { id: imageId } });
    const data = await openImageForRunner(ctx, runnerId, imageId);
    expect(data).toMatchObject({ sizeBytes: 10, sha256: 'ab'.repeat(32), range: undefined });
    expect(await new Response(data.stream).text()).toBe('0123456789');
  });

  it('goes on where a download broke off', async () => {
    const [runnerId, imageId] = await Promise.all([runner(), image()]);
    await wantServer(runnerId, { image: { id: imageId } });
    const response = imageDataResponse(await openImageForRunner(ctx, runnerId, imageId, 'bytes=4-'));
    expect([response.status, response.headers.get('content-range')]).toEqual([206, 'bytes 4-9/10']);
    expect(await new Response(response.body).text()).toBe('456789');
    const past = openImageForRunner(ctx, runnerId, imageId, 'bytes=10-');
    await expect(past).rejects.toEqual(expect.objectContaining({ status: 416 }));
  });

  it('is given while it is asked for the cache of this runner', async () => {
    const [runnerId, other, imageId] = await Promise.all([runner(), runner(), image()]);
    await askCache(runnerId, imageId, { state: 'done' });
    await askCache(runnerId, imageId, { kind: 'snapshot' });
    await askCache(other, imageId);
    await expect(openImageForRunner(ctx, runnerId, imageId)).rejects.toEqual(unknown);
    await askCache(runnerId, imageId);
    const data = await openImageForRunner(ctx, runnerId, imageId);
    expect(await new Response(data.stream).text()).toBe('0123456789');
  });

  it('is given while it is deactivated', async () => {
    const [runnerId, imageId] = await Promise.all([runner(), image('deactivated')]);
    await wantServer(runnerId, { image: { id: imageId } });
    const data = await openImageForRunner(ctx, runnerId, imageId);
    await data.stream.cancel();
  });

  it('is not given to a runner that does not need it', async () => {
    const [runnerId, other, imageId] = await Promise.all([runner(), runner(), image()]);
    await wantServer(other, { image: { id: imageId } });
    await wantServer(runnerId, { image: { id: imageId } }, { deleted: true });
    await wantServer(runnerId, { image: { id: imageId } }, { kind: 'port' });
    await wantServer(runnerId, { image: { id: crypto.randomUUID() }, metadata: { id: imageId } });
    await expect(openImageForRunner(ctx, runnerId, imageId)).rejects.toEqual(unknown);
  });

  it('is given after it was deleted, as long as a server is of it', async () => {
    const [runnerId, used, rescues, unused] = await Promise.all([runner(), image(), image(), image()]);
    const serverId = await wantServer(runnerId, { image: { id: used }, rescue: { image: { id: rescues } } });
    const blobOf = async (id: string) =>
      (await ctx.db.select().from(images).where(eq(images.id, id))).map((row) => row.blobKey)[0];
    const keys = await Promise.all([used, rescues, unused].map(blobOf));
    for (const id of [used, rescues, unused])
      await ctx.db.update(images).set({ status: 'deleted' }).where(eq(images.id, id));
    await sweepLooseBlobs(ctx);
    for (const id of [used, rescues]) {
      expect(await new Response((await openImageForRunner(ctx, runnerId, id)).stream).text()).toBe('0123456789');
    }
    expect(await blobOf(unused)).toBeNull();
    await ctx.db.update(desired).set({ deleted: true, spec: null }).where(eq(desired.id, serverId));
    await sweepLooseBlobs(ctx);
    await expect(openImageForRunner(ctx, runnerId, used)).rejects.toEqual(unknown);
    await sweepLooseBlobs({ ...ctx, clock: { ...ctx.clock, nowMs: () => Date.now() + 1_000 } });
    for (const key of keys) expect(await ctx.blobs.get(key ?? '')).toBeNull();
  });

  it('is gone when its data is', async () => {
    const [runnerId, bare] = await Promise.all([runner(), image()]);
    await wantServer(runnerId, { image: { id: bare } });
    const blobs = { ...ctx.blobs, get: async () => null };
    await expect(openImageForRunner({ ...ctx, blobs }, runnerId, bare)).rejects.toEqual(unknown);
  });
});
