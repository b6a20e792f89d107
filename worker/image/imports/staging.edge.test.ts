import { eq } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import { images, looseBlobs } from '../../../db/schema/image.ts';
import { usageSpans } from '../../../db/schema/metering.ts';
import { expectFailed, importStage, qcow2, refusal, SOURCE, sent } from '../../../test/edge-imports.ts';
import { deleteImage } from '../delete-image.ts';
import { sweepLooseBlobs } from '../loose-blobs.ts';
import { uploadImage } from '../upload-image.ts';
import { parseImport } from './import-body.ts';
import { importImage } from './import-image.ts';
import { stageImage } from './stage-image.ts';

describe('staging', () => {
  it('keeps data until its import makes it the image’s', async () => {
    const one = importStage();
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

  it('is storing: its bytes are counted from then on, and go on as the image’s', async () => {
    const one = importStage();
    const id = await one.create();
    const spans = () =>
      one.ctx.db.select().from(usageSpans).where(eq(usageSpans.resourceId, id)).orderBy(usageSpans.id);
    const changedMs = async () => (await one.rowOf(id))?.updatedAtMs;
    await stageImage(one.ctx, id, sent('staged'));
    const waiting = { state: 'uploading', quantity: 6, startMs: await changedMs() };
    expect(await spans()).toMatchObject([{ ...waiting, endMs: null }]);
    one.clock.ms += 1_000;
    await one.order(id, 'glance-direct');
    const endMs = await changedMs();
    expect(await spans()).toMatchObject([
      { ...waiting, endMs },
      { state: 'active', quantity: 6, startMs: endMs, endMs: null },
    ]);
  });

  it('is done once, and not of an image that has data', async () => {
    const one = importStage();
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
    const one = importStage();
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
    const one = importStage();
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
    const one = importStage();
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
    const one = importStage();
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
    const one = importStage();
    await expect(one.order(await one.create(), method)).rejects.toEqual(refusal(409, message));
  });

  it('without formats', async () => {
    const one = importStage();
    for (const missing of ['container_format', 'disk_format'] as const) {
      const id = await one.create({ [missing]: null });
      await expect(one.order(id, 'web-download')).rejects.toEqual(refusal(409, new RegExp(`'${missing}' needs`)));
    }
  });

  it('of an active image, but for a copy, which has nothing to do', async () => {
    const one = importStage();
    const id = await one.create();
    await uploadImage(one.ctx, id, sent('data'));
    await expect(one.order(id, 'web-download')).rejects.toEqual(refusal(409, /active cannot be target/));
    await expect(one.order(id, 'copy-image', { all_stores: true })).rejects.toEqual(refusal(403, /copy_image/));
    const admin = { ...one.ctx, actor: { ...one.ctx.actor, roles: ['admin'] } };
    const copy = (more: object) =>
      importImage(admin, id, parseImport({ method: { name: 'copy-image' }, ...more }, undefined));
    await copy({ all_stores: true, all_stores_must_succeed: false });
    expect(await one.taskOf(id)).toMatchObject({ status: 'success' });
    expect(await one.rowOf(id)).toMatchObject({ status: 'active', properties: { os_glance_importing_to_stores: '' } });
    await expect(copy({ stores: ['aerostat'] })).rejects.toEqual(refusal(400, /already present at store 'aerostat'/));
    await expect(copy({ stores: ['elsewhere'] })).rejects.toEqual(refusal(409, /elsewhere not found/));
  });

  it('from where it may not come', async () => {
    const one = importStage();
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
    const one = importStage();
    const id = await one.create({ visibility: 'community' });
    const stranger = { ...one.ctx, actor: { ...one.ctx.actor, projectId: 'other' } };
    const request = parseImport({ method: { name: 'web-download', uri: SOURCE } }, undefined);
    await expect(importImage(stranger, id, request)).rejects.toEqual(refusal(403, /modify_image/));
    await expect(stageImage(stranger, id, sent('x'))).rejects.toEqual(refusal(403, /modify_image/));
  });
});
