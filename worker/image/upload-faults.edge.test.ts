import { eq } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import { images, looseBlobs } from '../../db/schema/image.ts';
import { actorContextOf } from '../../test/edge-context.ts';
import type { ActorContext } from '../http/context.ts';
import type { BlobStore } from './blob-store.ts';
import { createImage } from './create-image.ts';
import { deleteImage } from './delete-image.ts';
import { UPLOAD_LEASE_MS, UPLOAD_RENEW_MS } from './limits.ts';
import { sweepLooseBlobs } from './loose-blobs.ts';
import { receiveData } from './receive-data.ts';
import { uploadImage } from './upload-image.ts';

const MIB = 1024 * 1024;
const text = (content: string) => new Blob([content]).stream();
const refusal = (status: number) => expect.objectContaining({ status });

/** A project with a clock that the test moves, in a region of its own, so that only its blobs are swept. */
function stage(replaced: Partial<ActorContext> = {}) {
  const clock = { ms: 1_000_000, nowMs: () => clock.ms };
  const region = `region-${crypto.randomUUID()}`;
  const ctx: ActorContext = { ...actorContextOf(crypto.randomUUID()), clock, region, ...replaced };
  const create = async () => (await createImage(ctx, { disk_format: 'raw', container_format: 'bare' })).id;
  const rowOf = async (id: string) => (await ctx.db.select().from(images).where(eq(images.id, id)))[0];
  const loose = () => ctx.db.select().from(looseBlobs).where(eq(looseBlobs.region, region));
  const input = (body: ReadableStream<Uint8Array>) => ({ body, contentLength: undefined, declaredBytes: undefined });
  return { ctx, clock, create, rowOf, loose, input };
}

/** An upload whose worker died: the image is claimed and a part of its blob is there. */
async function loseUpload({ ctx, create, rowOf, clock }: ReturnType<typeof stage>) {
  const id = await create();
  const key = `images/${id.slice(0, 2)}/${crypto.randomUUID()}`;
  const pipe = new FixedLengthStream(4);
  const writer = pipe.writable.getWriter();
  const written = writer.write(new TextEncoder().encode('part')).then(() => writer.close());
  await Promise.all([ctx.blobs.put(key, pipe.readable, 4), written]);
  await ctx.db.batch([
    ctx.db.update(images).set({ status: 'saving', blobKey: key }).where(eq(images.id, id)),
    ctx.db.insert(looseBlobs).values({ key, region: ctx.region, afterMs: clock.ms + UPLOAD_LEASE_MS }),
  ]);
  expect(await rowOf(id)).toMatchObject({ status: 'saving' });
  return { id, key };
}

/** An upload that the test feeds, a piece at a time. */
function feed() {
  const pipe = new IdentityTransformStream();
  return { body: pipe.readable, writer: pipe.writable.getWriter() };
}

describe('an upload that was lost with its worker', () => {
  it('keeps others out until its lease has ended', async () => {
    const one = stage();
    const { id } = await loseUpload(one);
    one.clock.ms += UPLOAD_LEASE_MS;
    await expect(uploadImage(one.ctx, id, one.input(text('whole')))).rejects.toEqual(refusal(409));
    one.clock.ms += 1;
    await uploadImage(one.ctx, id, one.input(text('whole')));
    expect(await one.rowOf(id)).toMatchObject({ status: 'active', sizeBytes: 5 });
  });

  it('is swept: its image is queued again, its blob and the note of it are gone', async () => {
    const one = stage();
    const { id, key } = await loseUpload(one);
    one.clock.ms += UPLOAD_LEASE_MS;
    expect(await sweepLooseBlobs(one.ctx)).toBe(0);
    expect(await one.rowOf(id)).toMatchObject({ status: 'saving' });
    one.clock.ms += 1;
    expect(await sweepLooseBlobs(one.ctx)).toBe(1);
    expect(await one.rowOf(id)).toMatchObject({ status: 'queued', blobKey: null });
    expect(await one.ctx.blobs.get(key)).toBeNull();
    expect(await one.loose()).toEqual([]);
    expect(await sweepLooseBlobs(one.ctx)).toBe(0);
  });

  it('leaves a blob whose removal failed to the next sweep', async () => {
    const one = stage();
    const { key } = await loseUpload(one);
    one.clock.ms += UPLOAD_LEASE_MS + 1;
    const refusing: BlobStore = { ...one.ctx.blobs, delete: () => Promise.reject(new Error('store is away')) };
    await expect(sweepLooseBlobs({ ...one.ctx, blobs: refusing })).rejects.toThrow('store is away');
    expect(await one.loose()).toHaveLength(1);
    expect(await sweepLooseBlobs(one.ctx)).toBe(1);
    expect(await one.ctx.blobs.get(key)).toBeNull();
  });
});

describe('a running upload', () => {
  it('renews its lease as data comes', async () => {
    const one = stage();
    const id = await one.create();
    const { body, writer } = feed();
    const uploaded = uploadImage(one.ctx, id, one.input(body));
    await writer.write(new Uint8Array(MIB));
    one.clock.ms += UPLOAD_RENEW_MS;
    await writer.write(new Uint8Array(MIB));
    await writer.write(new Uint8Array(MIB));
    expect(await one.loose()).toMatchObject([{ afterMs: one.clock.ms + UPLOAD_LEASE_MS }]);
    await writer.close();
    await uploaded;
    expect(await one.loose()).toEqual([]);
  });

  it('ends early when its image is deleted', async () => {
    const one = stage();
    const id = await one.create();
    const { body, writer } = feed();
    const uploaded = uploadImage(one.ctx, id, one.input(body));
    const ended = expect(uploaded).rejects.toEqual(refusal(410));
    await writer.write(new Uint8Array(MIB));
    await deleteImage(one.ctx, id);
    one.clock.ms += UPLOAD_RENEW_MS;
    const feeding = (async () => {
      for (;;) await writer.write(new Uint8Array(MIB));
    })();
    await expect(feeding).rejects.toThrow();
    await ended;
    expect(await one.loose()).toEqual([]);
  });

  it('that was taken for lost does not make its image active', async () => {
    const one = stage();
    const id = await one.create();
    const { body, writer } = feed();
    const uploaded = uploadImage(one.ctx, id, one.input(body));
    const ended = expect(uploaded).rejects.toEqual(refusal(410));
    await writer.write(new Uint8Array(10));
    const sweeper = { ...one.ctx, clock: { nowMs: () => one.clock.ms + UPLOAD_LEASE_MS + 1 } };
    while ((await sweepLooseBlobs(sweeper)) === 0) await scheduler.wait(5);
    await writer.close();
    await ended;
    expect(await one.rowOf(id)).toMatchObject({ status: 'queued', blobKey: null });
  });
});

describe('a store that fails', () => {
  const failing = (put: BlobStore['put']): Partial<ActorContext> => ({
    blobs: { put, get: async () => null, delete: async () => {} },
  });

  it.each([
    ['at once', () => Promise.reject(new Error('disk is full'))],
    [
      'midway',
      async (_key: string, data: ReadableStream<Uint8Array>) => {
        const reader = data.getReader();
        await reader.read();
        await reader.cancel();
        throw new Error('disk is full');
      },
    ],
  ])('%s is answered 503, and the image is queued', async (_when, put) => {
    const one = stage(failing(put));
    const id = await one.create();
    const { body, writer } = feed();
    const uploaded = uploadImage(one.ctx, id, one.input(body));
    const ended = expect(uploaded).rejects.toEqual(
      expect.objectContaining({ status: 503, headers: { 'retry-after': '30' } }),
    );
    await expect(
      (async () => {
        for (;;) await writer.write(new Uint8Array(MIB));
      })(),
    ).rejects.toThrow();
    await ended;
    expect(await one.rowOf(id)).toMatchObject({ status: 'queued', blobKey: null });
    expect(await one.loose()).toEqual([]);
  });

  it('that is slow holds the client back: no more than a few pieces are in memory', async () => {
    let [acceptedBytes, storedBytes, heldBytesMax] = [0, 0, 0];
    const put: BlobStore['put'] = async (_key, data) => {
      for await (const piece of data) {
        heldBytesMax = Math.max(heldBytesMax, acceptedBytes - storedBytes);
        storedBytes += piece.byteLength;
        if (storedBytes % MIB === 0) await scheduler.wait(2);
      }
    };
    const one = stage(failing(put));
    const { body, writer } = feed();
    const input = {
      body,
      key: 'k',
      sizeBytes: undefined,
      bytesMax: Number.MAX_SAFE_INTEGER,
      inspect: () => null,
      onPiece: async () => {},
    };
    const received = receiveData(one.ctx, input);
    for (let sent = 0; sent < 32; sent += 1) {
      await writer.write(new Uint8Array(MIB));
      acceptedBytes += MIB;
    }
    await writer.close();
    expect(await received).toMatchObject({ sizeBytes: 32 * MIB });
    expect(storedBytes).toBe(32 * MIB);
    expect(heldBytesMax).toBeLessThanOrEqual(2 * MIB);
  });
});

describe('a database that fails', () => {
  it('while the image is made active leaves the data, as it may be the image’s by then', async () => {
    const one = stage();
    const id = await one.create();
    let failing = false;
    const db = new Proxy(one.ctx.db, {
      get(target, member) {
        if (failing && member === 'batch') return () => Promise.reject(new Error('connection lost'));
        const value: unknown = Reflect.get(target, member, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    const { body, writer } = feed();
    const uploaded = uploadImage({ ...one.ctx, db }, id, one.input(body));
    const ended = expect(uploaded).rejects.toThrow('connection lost');
    await writer.write(new TextEncoder().encode('data'));
    while ((await one.loose()).length === 0) await scheduler.wait(5);
    failing = true;
    await writer.close();
    await ended;
    const [note] = await one.loose();
    expect(await new Response(await one.ctx.blobs.get(note?.key ?? '')).text()).toBe('data');
    one.clock.ms += UPLOAD_LEASE_MS + 1;
    expect(await sweepLooseBlobs(one.ctx)).toBe(1);
    expect(await one.rowOf(id)).toMatchObject({ status: 'queued' });
  });
});
