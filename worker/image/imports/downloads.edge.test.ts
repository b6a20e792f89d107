import { describe, expect, it } from 'vitest';
import { expectFailed, importStage, qcow2, refusal, SOURCE, type Stage, sent } from '../../../test/edge-imports.ts';
import type { ActorContext } from '../../http/context.ts';
import type { BlobStore } from '../blob-store.ts';
import { createImage } from '../create-image.ts';
import { deleteImage } from '../delete-image.ts';
import type { ImageBody } from '../image-body.ts';
import { IMAGE_BYTES_MAX, IMPORT_DEADLINE_MS, IMPORT_STALL_MS, REDIRECTS_MAX } from '../limits.ts';
import { updateImage } from '../update-image.ts';
import { uploadImage } from '../upload-image.ts';
import { createTask } from './create-task.ts';
import { parseImport } from './import-body.ts';
import { importImage } from './import-image.ts';

const MIB = 1024 ** 2;

describe('a download', () => {
  it('makes its image active', async () => {
    const one = importStage();
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
    const one = importStage();
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
    const one = importStage();
    const id = await one.ordered();
    one.answers.next = () => new Response(null, { status: 302, headers: { location } });
    await one.run();
    expect(one.asked).toEqual([SOURCE]);
    await expectFailed(one, id, /does not pass filtering/);
  });

  it('does not go round for ever', async () => {
    const one = importStage();
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
    const one = importStage();
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
    const one = importStage();
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
    const one = importStage();
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
    const one = importStage();
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
    const one = importStage();
    const id = await one.ordered();
    const blobs: BlobStore = { ...one.ctx.blobs, put: () => Promise.reject(new Error('disk is full')) };
    await one.run({ ...one.ctx, blobs });
    await expectFailed(one, id, /The image store did not take the data/);
  });
});

describe('an image of another region', () => {
  const PROPERTIES = { hw_cpu_cores: '5', 'trait:STORAGE_DISK_SSD': 'required', os_distro: 'rhel', speed: '88mph' };
  const other = (one: Stage) => ({ ...one.ctx, region: `other-${one.ctx.region}` });
  const from = (id: string, region: string, more: object = {}) => ({
    method: { name: 'glance-download', glance_image_id: id, glance_region: region, ...more },
  });
  const download = (one: Stage, id: string, body: object) => importImage(one.ctx, id, parseImport(body, undefined));

  it('is copied with its formats and what of its properties goes along', async () => {
    const one = importStage();
    const there = other(one);
    const formats = { disk_format: 'qcow2', container_format: 'bare' } as const;
    const source = (await createImage(there, { ...formats, ...PROPERTIES } as ImageBody)).id;
    await uploadImage(there, source, sent(qcow2()));
    const id = await one.create({ disk_format: 'iso', container_format: 'ovf', hw_cpu_cores: '1', mine: 'kept' });
    await download(one, id, from(source, there.region));
    expect(await one.rowOf(id)).toMatchObject({ status: 'importing' });
    await one.run();
    expect(await one.rowOf(id)).toMatchObject({
      ...{ status: 'active', diskFormat: 'qcow2', containerFormat: 'bare', virtualSizeBytes: 5 * 1024 ** 3 },
      properties: {
        ...{ hw_cpu_cores: '5', 'trait:STORAGE_DISK_SSD': 'required', os_distro: 'rhel', mine: 'kept' },
        ...{ os_glance_failed_import: '', os_glance_importing_to_stores: '' },
      },
    });
    expect((await one.rowOf(id))?.properties).not.toHaveProperty('speed');
    expect(await one.taskOf(id)).toMatchObject({ status: 'success' });
  });

  it('that goes away before it is copied fails', async () => {
    const one = importStage();
    const there = other(one);
    const source = (await createImage(there, { disk_format: 'raw', container_format: 'bare' })).id;
    await uploadImage(there, source, sent('data'));
    const id = await one.create();
    await download(one, id, from(source, there.region));
    await deleteImage(there, source);
    await one.run();
    await expectFailed(one, id, /no longer in region/);
  });

  it.each([
    ['fails for a project that may see it no more', ['member', 'reader'], 'failure'],
    ['is copied for an admin, who sees every one', ['admin'], 'success'],
  ])('that is hidden before it is copied %s', async (_what, roles, status) => {
    const one = importStage();
    const there = other(one);
    const stranger = { ...there, actor: { ...there.actor, projectId: 'stranger' } };
    const bare = { disk_format: 'raw', container_format: 'bare', visibility: 'community' } as const;
    const source = (await createImage(stranger, bare as ImageBody)).id;
    await uploadImage(stranger, source, sent('data'));
    const id = await one.create();
    const asker = { ...one.ctx, actor: { ...one.ctx.actor, roles } };
    await importImage(asker, id, parseImport(from(source, there.region), undefined));
    const hidden = { op: 'replace', member: 'visibility', value: 'private', strictAdd: false } as const;
    await updateImage(stranger, source, [hidden]);
    await one.run();
    expect(await one.taskOf(id)).toMatchObject({ status });
    if (status === 'failure') await expectFailed(one, id, /no longer in region/);
  });

  it('that is not there, has no data, or is not the actor’s to see fails', async () => {
    const one = importStage();
    const there = other(one);
    const stranger = { ...there, actor: { ...there.actor, projectId: 'stranger' } };
    const bare = { disk_format: 'raw', container_format: 'bare' } as const;
    const secret = (await createImage(stranger, bare)).id;
    await uploadImage(stranger, secret, sent('secret'));
    const empty = (await createImage(there, bare)).id;
    const bodies = [
      from(secret, there.region),
      from(empty, there.region),
      from(crypto.randomUUID(), there.region),
      from(empty, 'nowhere', { glance_service_interface: 'none' }),
    ];
    for (const body of bodies) {
      const id = await one.create();
      await download(one, id, body);
      await expectFailed(one, id, /No image .* with data was found/);
    }
    expect(one.started).toEqual([]);
  });

  it.each([
    [{ glance_region: undefined }, /'glance_region' needs to be set/],
    [{ glance_image_id: undefined }, /'glance_image_id' needs to be set/],
    [{ glance_image_id: 'foo' }, /image id does not look like a UUID: foo/],
  ])('is named in full: %j', async (more, message) => {
    const one = importStage();
    const id = await one.create();
    await expect(download(one, id, from(id, 'x', more))).rejects.toEqual(refusal(400, message));
  });
});

describe('a task that makes an image', () => {
  const body = (input: object = {}) => ({
    type: 'import',
    input: {
      import_from: SOURCE,
      import_from_format: 'raw',
      image_properties: { name: 'made', os_distro: 'x' },
      ...input,
    },
  });
  const asAdmin = (one: Stage) => ({ ...one.ctx, actor: { ...one.ctx.actor, roles: ['admin'] } });

  it('downloads its data', async () => {
    const one = importStage();
    const task = await createTask(asAdmin(one), body());
    expect(task).toMatchObject({ type: 'import', status: 'pending', input: body().input });
    await one.run();
    expect(await one.rowOf(task.imageId)).toMatchObject({
      ...{ status: 'active', name: 'made', diskFormat: 'raw', containerFormat: 'bare', sizeBytes: 18 },
      properties: { os_distro: 'x', os_glance_failed_import: '' },
    });
    expect(await one.taskOf(task.imageId)).toMatchObject({ status: 'success', result: { image_id: task.imageId } });
  });

  it.each([
    [{}, /Task 'type' is required/],
    [{ type: 'import' }, /Task 'input' is required/],
    [{ type: 'export', input: {} }, /schema 'task'/],
    [body({ import_from: undefined }), /import_from/],
    [body({ import_from: 'file:///etc/passwd' }), /may not be imported from/],
    [body({ import_from_format: 'magic' }), /disk_format/],
  ])('is refused: %j', async (value, message) => {
    const one = importStage();
    await expect(createTask(asAdmin(one), value)).rejects.toEqual(refusal(400, message));
    expect(one.started).toEqual([]);
  });
});
