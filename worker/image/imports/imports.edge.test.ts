import { eq } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import { images, imageTasks, looseBlobs } from '../../../db/schema/image.ts';
import type { Timers } from '../../../shared/clock.ts';
import { actorContextOf } from '../../../test/edge-context.ts';
import type { ActorContext } from '../../http/context.ts';
import type { BlobStore } from '../blob-store.ts';
import { createImage } from '../create-image.ts';
import { deleteImage } from '../delete-image.ts';
import type { ImageBody } from '../image-body.ts';
import {
  IMAGE_BYTES_MAX,
  IMPORT_ATTEMPTS_MAX,
  IMPORT_DEADLINE_MS,
  IMPORT_STALL_MS,
  IMPORT_START_MS,
  PROJECT_LIMITS,
  REDIRECTS_MAX,
  UPLOAD_LEASE_MS,
} from '../limits.ts';
import { sweepLooseBlobs } from '../loose-blobs.ts';
import type { UploadInput } from '../store-upload.ts';
import { uploadImage } from '../upload-image.ts';
import { parseImport } from './import-body.ts';
import { importImage } from './import-image.ts';
import { recoverImports } from './recover-imports.ts';
import { runImport } from './run-import.ts';
import { stageImage } from './stage-image.ts';

const MIB = 1024 ** 2;
const SOURCE = 'http://images.example.org/disk.img';
const refusal = (status: number, message?: RegExp) =>
  expect.objectContaining({ status, ...(message ? { message: expect.stringMatching(message) } : {}) });
const sent = (content: string | Uint8Array): UploadInput => ({
  body: new Blob([content]).stream(),
  contentLength: undefined,
  declaredBytes: undefined,
});
function qcow2(backingOffset = 0n): Uint8Array {
  const bytes = new Uint8Array(1024);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0x514649fb);
  view.setUint32(4, 3);
  view.setBigUint64(8, backingOffset);
  view.setUint32(20, 16);
  view.setBigUint64(24, 5n << 30n);
  return bytes;
}

/** Timers that the test lets ring. */
function bells() {
  const waiting = new Map<object, { atMs: number; run: () => void }>();
  const timers: Timers = {
    nowMs: () => 0,
    after(atMs, run) {
      const bell = {};
      waiting.set(bell, { atMs, run });
      return () => waiting.delete(bell);
    },
  };
  const ring = (atMs: number) => {
    for (const one of [...waiting.values()]) if (one.atMs === atMs) one.run();
  };
  return { timers, ring, waiting };
}

/** A project in a region of its own, with a clock, a source of downloads and a beginning of imports that the test owns. */
function stage(replaced: Partial<ActorContext> = {}) {
  const clock = { ms: 1_000_000, nowMs: () => clock.ms };
  const region = `region-${crypto.randomUUID()}`;
  const started: string[] = [];
  const asked: string[] = [];
  const answers = { next: (_url: string): Response | Promise<Response> => new Response('data of the source') };
  const ctx: ActorContext = {
    ...actorContextOf(crypto.randomUUID()),
    ...{ clock, region },
    imports: { start: (taskId) => started.push(taskId) },
    download: async (request) => {
      asked.push(request.url);
      return answers.next(request.url);
    },
    ...replaced,
  };
  const create = async (body: object = {}) =>
    (await createImage(ctx, { disk_format: 'raw', container_format: 'bare', ...body } as ImageBody)).id;
  const rowOf = async (id: string) => (await ctx.db.select().from(images).where(eq(images.id, id)))[0];
  const taskOf = async (id: string) => (await ctx.db.select().from(imageTasks).where(eq(imageTasks.imageId, id)))[0];
  const loose = () => ctx.db.select().from(looseBlobs).where(eq(looseBlobs.region, region));
  const order = (id: string, method: string, more: Record<string, unknown> = {}) =>
    importImage(ctx, id, parseImport({ method: { name: method, uri: SOURCE }, ...more }, undefined));
  const bell = bells();
  const run = (context = ctx) => runImport(context, started.at(-1) ?? '', bell.timers);
  /** An image whose download was asked for. */
  const ordered = async (body: object = {}) => {
    const id = await create(body);
    await order(id, 'web-download');
    return id;
  };
  return { ctx, clock, create, rowOf, taskOf, loose, order, ordered, run, started, asked, answers, ...bell };
}
type Stage = ReturnType<typeof stage>;

async function expectFailed(one: Stage, id: string, message: RegExp): Promise<void> {
  expect(await one.rowOf(id)).toMatchObject({
    status: 'queued',
    blobKey: null,
    sizeBytes: null,
    properties: { os_glance_failed_import: 'aerostat', os_glance_importing_to_stores: '' },
  });
  expect((await one.rowOf(id))?.properties).not.toHaveProperty('os_glance_import_task');
  expect(await one.taskOf(id)).toMatchObject({
    status: 'failure',
    message: expect.stringMatching(message),
    expiresAtMs: expect.any(Number),
  });
  expect(await one.loose()).toEqual([]);
}

describe('staging', () => {
  it('keeps data until its import makes it the image’s', async () => {
    const one = stage();
    const id = await one.create();
    await stageImage(one.ctx, id, sent('staged'));
    expect(await one.rowOf(id)).toMatchObject({ status: 'uploading', sizeBytes: 6, md5: null, sha512: null });
    expect(await one.loose()).toEqual([]);
    await one.order(id, 'glance-direct');
    const row = await one.rowOf(id);
    expect(row).toMatchObject({ status: 'active', sizeBytes: 6, virtualSizeBytes: 6, staged: null });
    expect(row?.properties).toEqual({ os_glance_failed_import: '', os_glance_importing_to_stores: '' });
    expect(await new Response(await one.ctx.blobs.get(row?.blobKey ?? '')).text()).toBe('staged');
    expect(await one.taskOf(id)).toMatchObject({
      ...{ type: 'api_image_import', status: 'success', requestId: one.ctx.requestId, result: { image_id: id } },
      input: { image_id: id, backend: ['aerostat'], import_req: { method: { name: 'glance-direct' } } },
    });
  });

  it('is done once, and not of an image that has data', async () => {
    const one = stage();
    const id = await one.create();
    await stageImage(one.ctx, id, sent('first'));
    await expect(stageImage(one.ctx, id, sent('second'))).rejects.toEqual(
      refusal(409, /^Image status transition from uploading to uploading is not allowed$/),
    );
    await expect(uploadImage(one.ctx, id, sent('third'))).rejects.toEqual(refusal(409));
    const active = await one.create();
    await uploadImage(one.ctx, active, sent('data'));
    await expect(stageImage(one.ctx, active, sent('more'))).rejects.toEqual(refusal(409));
  });

  it('that breaks off leaves the image queued and nothing behind', async () => {
    const one = stage();
    const id = await one.create();
    const pipe = new FixedLengthStream(200_000);
    const writer = pipe.writable.getWriter();
    const staged = stageImage(one.ctx, id, { ...sent(''), body: pipe.readable, contentLength: 200_000 });
    const ended = expect(staged).rejects.toEqual(refusal(400));
    await writer.write(new Uint8Array(100_000));
    expect(await one.rowOf(id)).toMatchObject({ status: 'uploading', staged: null });
    await expect(one.order(id, 'glance-direct')).rejects.toEqual(refusal(409));
    await writer.abort(new Error('the client went away'));
    await ended;
    expect(await one.rowOf(id)).toMatchObject({ status: 'queued', blobKey: null });
    expect(await one.loose()).toEqual([]);
    await stageImage(one.ctx, id, sent('again'));
  });

  it('that was lost with its worker is swept, and one that is done is not', async () => {
    const one = stage();
    const [done, id] = [await one.create(), await one.create()];
    await stageImage(one.ctx, done, sent('whole'));
    const key = `images/${id.slice(0, 2)}/${crypto.randomUUID()}`;
    await one.ctx.db.batch([
      one.ctx.db.update(images).set({ status: 'uploading', blobKey: key }).where(eq(images.id, id)),
      one.ctx.db.insert(looseBlobs).values({ key, region: one.ctx.region, afterMs: one.clock.ms }),
    ]);
    one.clock.ms += 1;
    expect(await sweepLooseBlobs(one.ctx)).toBe(1);
    expect(await one.rowOf(id)).toMatchObject({ status: 'queued', blobKey: null });
    expect(await one.rowOf(done)).toMatchObject({ status: 'uploading' });
  });

  it('of an image that is deleted leaves no blob', async () => {
    const one = stage();
    const id = await one.create();
    await stageImage(one.ctx, id, sent('staged'));
    const { blobKey } = (await one.rowOf(id)) ?? {};
    await deleteImage(one.ctx, id);
    await sweepLooseBlobs({ ...one.ctx, clock: { nowMs: () => one.clock.ms + 1 } });
    expect(await one.ctx.blobs.get(blobKey ?? '')).toBeNull();
  });

  it.each([
    ['a qcow2 with a backing file', 'qcow2', qcow2(104n), /backing file/],
    ['raw data called qcow2', 'qcow2', new Uint8Array(70_000), /does not match/],
    ['a qcow2 called raw', 'raw', qcow2(), /does not match/],
  ] as const)('takes %s, whose import fails', async (_what, diskFormat, data, message) => {
    const one = stage();
    const id = await one.create({ disk_format: diskFormat });
    await stageImage(one.ctx, id, sent(data));
    const { blobKey } = (await one.rowOf(id)) ?? {};
    await one.order(id, 'glance-direct');
    await sweepLooseBlobs({ ...one.ctx, clock: { nowMs: () => one.clock.ms + 1 } });
    await expectFailed(one, id, message);
    expect(await one.ctx.blobs.get(blobKey ?? '')).toBeNull();
    await stageImage(one.ctx, id, sent(data));
  });
});

describe('an import is refused', () => {
  it.each([
    ['of data that was not staged', 'glance-direct', /needs to be staged/],
    ['as a copy of an image without data', 'copy-image', /Only images with status active/],
  ])('%s', async (_what, method, message) => {
    const one = stage();
    await expect(one.order(await one.create(), method)).rejects.toEqual(refusal(409, message));
  });

  it('without formats', async () => {
    const one = stage();
    for (const missing of ['container_format', 'disk_format'] as const) {
      const id = await one.create({ [missing]: null });
      await expect(one.order(id, 'web-download')).rejects.toEqual(refusal(409, new RegExp(`'${missing}' needs`)));
    }
  });

  it('of an active image, but for a copy, which has nothing to do', async () => {
    const one = stage();
    const id = await one.create();
    await uploadImage(one.ctx, id, sent('data'));
    await expect(one.order(id, 'web-download')).rejects.toEqual(refusal(409, /active cannot be target/));
    await expect(one.order(id, 'copy-image', { all_stores: true })).rejects.toEqual(refusal(403, /copy_image/));
    const admin = { ...one.ctx, actor: { ...one.ctx.actor, roles: ['admin'] } };
    const copy = (more: object) =>
      importImage(admin, id, parseImport({ method: { name: 'copy-image' }, ...more }, undefined));
    await copy({ all_stores: true, all_stores_must_succeed: false });
    await expect(copy({ stores: ['aerostat'] })).rejects.toEqual(refusal(400, /already present at store 'aerostat'/));
    await expect(copy({ stores: ['elsewhere'] })).rejects.toEqual(refusal(409, /elsewhere not found/));
  });

  it('from where it may not come', async () => {
    const one = stage();
    const id = await one.create();
    const from = (uri?: string) =>
      importImage(one.ctx, id, parseImport({ method: { name: 'web-download', uri } }, undefined));
    for (const uri of [undefined, 'http://169.254.169.254/', 'http://localhost/', 'file:///etc/passwd']) {
      await expect(from(uri)).rejects.toEqual(refusal(400, /^URI for web-download does not pass filtering: /));
    }
    expect(await one.rowOf(id)).toMatchObject({ status: 'queued', properties: {} });
  });

  it.each([
    [{}, /requires a 'method' field/],
    [{ method: {} }, /requires a 'name' field/],
    [{ method: { name: 'magic' } }, /Unknown import method name 'magic'/],
    [{ method: { name: 'copy-image' }, all_stores: 'yes' }, /'all_stores' must be boolean value only/],
    [{ method: { name: 'copy-image' }, all_stores_must_succeed: 1 }, /'all_stores_must_succeed' must be boolean/],
    [{ method: { name: 'copy-image' }, all_stores: true, stores: ['a'] }, /All_stores parameter can't be used/],
  ])('whose body is %j', (body, message) => {
    expect(() => parseImport(body, undefined)).toThrow(message);
  });

  it('when its image is another project’s', async () => {
    const one = stage();
    const id = await one.create({ visibility: 'community' });
    const stranger = { ...one.ctx, actor: { ...one.ctx.actor, projectId: 'other' } };
    const request = parseImport({ method: { name: 'web-download', uri: SOURCE } }, undefined);
    await expect(importImage(stranger, id, request)).rejects.toEqual(refusal(403, /modify_image/));
    await expect(stageImage(stranger, id, sent('x'))).rejects.toEqual(refusal(403, /modify_image/));
  });
});

describe('a download', () => {
  it('makes its image active', async () => {
    const one = stage();
    const id = await one.ordered();
    expect(await one.rowOf(id)).toMatchObject({
      status: 'importing',
      properties: { os_glance_importing_to_stores: 'aerostat', os_glance_import_task: one.started[0] },
    });
    expect(await one.taskOf(id)).toMatchObject({ status: 'pending', attempts: 0, expiresAtMs: null });
    await one.run();
    expect(await one.rowOf(id)).toMatchObject({
      ...{ status: 'active', sizeBytes: 18, virtualSizeBytes: 18 },
      properties: { os_glance_failed_import: '', os_glance_importing_to_stores: '' },
    });
    expect(await one.taskOf(id)).toMatchObject({ status: 'success', attempts: 1, result: { image_id: id } });
    expect(one.asked).toEqual([SOURCE]);
    expect(one.waiting.size).toBe(0);
    await one.run();
    expect(one.asked).toHaveLength(1);
  });

  it('follows redirects to where it may go', async () => {
    const one = stage();
    const id = await one.ordered();
    one.answers.next = (url) =>
      url === SOURCE
        ? new Response(null, { status: 302, headers: { location: '//mirror.example.org/b' } })
        : new Response('mirrored');
    await one.run();
    expect(one.asked).toEqual([SOURCE, 'http://mirror.example.org/b']);
    expect(await one.rowOf(id)).toMatchObject({ status: 'active', sizeBytes: 8 });
  });

  it.each([
    ['http://127.0.0.1/'],
    ['http://169.254.169.254/latest'],
    ['http://[::ffff:10.0.0.1]/'],
    ['file:///etc/passwd'],
    ['http://example.org:22/'],
  ])('does not follow one to %s', async (location) => {
    const one = stage();
    const id = await one.ordered();
    one.answers.next = () => new Response(null, { status: 302, headers: { location } });
    await one.run();
    expect(one.asked).toEqual([SOURCE]);
    await expectFailed(one, id, /does not pass filtering/);
  });

  it('does not go round for ever', async () => {
    const one = stage();
    const id = await one.ordered();
    one.answers.next = () => new Response(null, { status: 301, headers: { location: SOURCE } });
    await one.run();
    expect(one.asked).toHaveLength(REDIRECTS_MAX + 1);
    await expectFailed(one, id, /redirects more than/);
  });

  it.each([
    ['is not there', () => new Response('no', { status: 404, statusText: 'Not Found' }), /was answered 404 Not Found/],
    ['cannot be reached', () => Promise.reject(new Error('connection refused')), /was not reached: connection refused/],
    [
      'says that it is too large',
      () => new Response('x', { headers: { 'content-length': String(IMAGE_BYTES_MAX + 1) } }),
      /more than the \d+ of an image/,
    ],
    ['sends less than it says', () => new Response('abc', { headers: { 'content-length': '4' } }), /broke off|store/],
    ['sends more than it says', () => new Response('abcde', { headers: { 'content-length': '4' } }), /broke off|store/],
    ['sends another format', () => new Response(qcow2()), /does not match stream data qcow2/],
  ])('from what %s fails', async (_what, answer, message) => {
    const one = stage();
    const id = await one.ordered();
    one.answers.next = answer;
    await one.run();
    await expectFailed(one, id, message);
    one.answers.next = () => new Response('now it is there');
    await one.order(id, 'web-download');
    await one.run();
    expect(await one.rowOf(id)).toMatchObject({ status: 'active', sizeBytes: 15 });
  });

  it.each([
    ['stalls', IMPORT_STALL_MS, /nothing came for 60 s/],
    ['takes too long', IMPORT_DEADLINE_MS, /took longer than 14 minutes/],
  ])('that %s fails', async (_what, atMs, message) => {
    const one = stage();
    const id = await one.ordered();
    const pipe = new IdentityTransformStream();
    const writer = pipe.writable.getWriter();
    one.answers.next = () => new Response(pipe.readable);
    const done = one.run();
    await writer.write(new Uint8Array(MIB));
    one.ring(atMs);
    await done;
    await expectFailed(one, id, message);
    await expect(writer.write(new Uint8Array(1))).rejects.toThrow();
  });

  it('that does not even answer fails', async () => {
    const one = stage();
    const id = await one.ordered();
    let aborted = Promise.resolve<unknown>(undefined);
    const ctx: ActorContext = {
      ...one.ctx,
      download: ({ signal }) => {
        const silence = new Promise<Response>((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason));
        });
        aborted = silence.catch((reason: unknown) => reason);
        one.asked.push('silence');
        return silence;
      },
    };
    const done = one.run(ctx);
    while (one.asked.length === 0) await scheduler.wait(5);
    one.ring(IMPORT_STALL_MS);
    await done;
    expect(await aborted).toBeInstanceOf(Error);
    await expectFailed(one, id, /was not reached: nothing came for 60 s/);
  });

  it('whose image is deleted meanwhile ends, and leaves nothing', async () => {
    const one = stage();
    const id = await one.ordered();
    const pipe = new IdentityTransformStream();
    const writer = pipe.writable.getWriter();
    one.answers.next = () => new Response(pipe.readable);
    const done = one.run();
    await writer.write(new Uint8Array(1000));
    await deleteImage(one.ctx, id);
    expect(await one.taskOf(id)).toMatchObject({ status: 'failure', message: /deleted/ });
    await writer.close();
    await done;
    expect(await one.rowOf(id)).toMatchObject({ status: 'deleted' });
    expect(await one.loose()).toEqual([]);
  });

  it('fails with its store', async () => {
    const one = stage();
    const id = await one.ordered();
    const blobs: BlobStore = { ...one.ctx.blobs, put: () => Promise.reject(new Error('disk is full')) };
    await one.run({ ...one.ctx, blobs });
    await expectFailed(one, id, /The image store did not take the data/);
  });
});

describe('an import that is lost', () => {
  it('before it began is begun by the region’s alarm', async () => {
    const one = stage();
    await one.ordered();
    await recoverImports(one.ctx);
    expect(one.started).toHaveLength(1);
    one.clock.ms += IMPORT_START_MS + 1;
    await recoverImports(one.ctx);
    expect(one.started).toEqual([one.started[0], one.started[0]]);
  });

  it('with its worker begins again, so often, and then fails', async () => {
    const one = stage();
    const id = await one.ordered();
    const hanging = { ...one.ctx, download: () => new Promise<Response>(() => {}) };
    for (let attempt = 1; attempt <= IMPORT_ATTEMPTS_MAX; attempt += 1) {
      void one.run(hanging);
      while ((await one.taskOf(id))?.attempts !== attempt) await scheduler.wait(5);
      one.clock.ms += IMPORT_START_MS + 1;
      await recoverImports(one.ctx);
      expect(one.started).toHaveLength(attempt);
      await one.run();
      expect(await one.taskOf(id)).toMatchObject({ status: 'processing', attempts: attempt });
      one.clock.ms += UPLOAD_LEASE_MS + 1;
      await sweepLooseBlobs(one.ctx);
      expect(await one.rowOf(id)).toMatchObject({ status: 'importing' });
      await recoverImports(one.ctx);
      expect(one.started).toHaveLength(attempt + 1);
    }
    await one.run();
    await expectFailed(one, id, /cut short 3 times/);
    one.clock.ms += IMPORT_START_MS + 1;
    await recoverImports(one.ctx);
    expect(one.started).toHaveLength(IMPORT_ATTEMPTS_MAX + 1);
  });

  it('and comes back after another attempt took over changes nothing', async () => {
    const one = stage();
    const id = await one.ordered();
    const pipe = new IdentityTransformStream();
    const writer = pipe.writable.getWriter();
    one.answers.next = () => new Response(pipe.readable);
    const older = one.run();
    await writer.write(new Uint8Array(10));
    one.clock.ms += UPLOAD_LEASE_MS + 1;
    one.answers.next = () => new Response('newer');
    await one.run();
    await writer.abort(new Error('cut'));
    await older;
    expect(await one.rowOf(id)).toMatchObject({ status: 'active', sizeBytes: 5 });
    expect(await one.taskOf(id)).toMatchObject({ status: 'success', attempts: 2 });
  });
});

describe('what a project may have', () => {
  const full = (one: Stage, status: 'active' | 'uploading', mib: number) =>
    one.ctx.db.insert(images).values({
      ...{ id: crypto.randomUUID(), region: one.ctx.region, projectId: one.ctx.actor.projectId ?? '', status },
      ...{ visibility: 'private', sizeBytes: mib * MIB, createdAtMs: 1, updatedAtMs: 1 },
    });

  it('is said in advance', async () => {
    const one = stage();
    const id = await one.create();
    await full(one, 'active', PROJECT_LIMITS.image_size_total);
    await uploadImage(one.ctx, id, { ...sent(''), contentLength: 0 });
    const next = await one.create();
    await expect(uploadImage(one.ctx, next, { ...sent('x'), contentLength: 1 })).rejects.toEqual(
      refusal(413, /over a limit for \[Resource image_size_total is over limit of \d+\]/),
    );
    expect(await one.rowOf(next)).toMatchObject({ status: 'queued' });
  });

  it('is known of data of unknown length as it comes', async () => {
    const one = stage();
    const id = await one.create();
    await full(one, 'active', PROJECT_LIMITS.image_size_total - 1);
    await expect(uploadImage(one.ctx, id, sent(new Uint8Array(2 * MIB)))).rejects.toEqual(refusal(413));
    expect(await one.rowOf(id)).toMatchObject({ status: 'queued', blobKey: null });
    expect(await one.loose()).toEqual([]);
  });

  it('is asked again at the end, as others may have come first', async () => {
    const one = stage();
    const id = await one.create();
    const pipe = new IdentityTransformStream();
    const writer = pipe.writable.getWriter();
    const ended = expect(uploadImage(one.ctx, id, { ...sent(''), body: pipe.readable })).rejects.toEqual(
      refusal(413, /image_size_total/),
    );
    await writer.write(new Uint8Array(10));
    await full(one, 'active', PROJECT_LIMITS.image_size_total);
    await writer.close();
    await ended;
    expect(await one.rowOf(id)).toMatchObject({ status: 'queued', blobKey: null });
    expect(await one.loose()).toEqual([]);
  });

  it('counts what is staged by itself, until it is imported', async () => {
    const one = stage();
    const [staged, other] = [await one.create(), await one.create()];
    await stageImage(one.ctx, staged, sent('data'));
    await full(one, 'uploading', PROJECT_LIMITS.image_stage_total);
    await expect(stageImage(one.ctx, other, { ...sent('x'), contentLength: 1 })).rejects.toEqual(
      refusal(413, /image_stage_total/),
    );
    await full(one, 'active', PROJECT_LIMITS.image_size_total);
    await expect(one.order(staged, 'glance-direct')).rejects.toEqual(refusal(413, /image_size_total/));
    expect(await one.rowOf(staged)).toMatchObject({ status: 'uploading' });
  });

  it('is a number of images', async () => {
    const one = stage();
    const projectId = one.ctx.actor.projectId;
    await one.ctx.db.run(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${PROJECT_LIMITS.image_count_total})
      INSERT INTO images (id, region, project_id, status, visibility, created_at_ms, updated_at_ms)
      SELECT 'count-${projectId}-' || i, '${one.ctx.region}', '${projectId}', 'queued', 'private', 1, 1 FROM n`);
    await expect(one.create()).rejects.toEqual(refusal(413, /image_count_total/));
    await one.ctx.db.delete(images).where(eq(images.region, one.ctx.region));
    await one.create();
  });

  it('is a number of uploads at a time', async () => {
    const one = stage();
    const id = await one.create();
    for (let at = 0; at < PROJECT_LIMITS.image_count_uploading; at += 1) await full(one, 'uploading', 0);
    await expect(uploadImage(one.ctx, id, sent('x'))).rejects.toEqual(refusal(413, /image_count_uploading/));
    await expect(one.order(id, 'web-download')).rejects.toEqual(refusal(413, /image_count_uploading/));
  });
});
