import { eq } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import { images } from '../../db/schema/image.ts';
import { importStage, refusal, type Stage, sent } from '../../test/edge-imports.ts';
import { stageImage } from './imports/stage-image.ts';
import { PROJECT_LIMITS } from './limits.ts';
import { uploadImage } from './upload-image.ts';

const MIB = 1024 ** 2;

describe('what a project may have', () => {
  const full = (one: Stage, status: 'active' | 'uploading', mib: number) =>
    one.ctx.db.insert(images).values({
      ...{ id: crypto.randomUUID(), region: one.ctx.region, projectId: one.ctx.actor.projectId ?? '', status },
      ...{ visibility: 'private', sizeBytes: mib * MIB, createdAtMs: 1, updatedAtMs: 1 },
    });

  it('is said in advance', async () => {
    const one = importStage();
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
    const one = importStage();
    const id = await one.create();
    await full(one, 'active', PROJECT_LIMITS.image_size_total - 1);
    await expect(uploadImage(one.ctx, id, sent(new Uint8Array(2 * MIB)))).rejects.toEqual(refusal(413));
    expect(await one.rowOf(id)).toMatchObject({ status: 'queued', blobKey: null });
    expect(await one.loose()).toEqual([]);
  });

  it('is asked again at the end, as others may have come first', async () => {
    const one = importStage();
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
    const one = importStage();
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
    const one = importStage();
    const projectId = one.ctx.actor.projectId;
    await one.ctx.db.run(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${PROJECT_LIMITS.image_count_total})
      INSERT INTO images (id, region, project_id, status, visibility, created_at_ms, updated_at_ms)
      SELECT 'count-${projectId}-' || i, '${one.ctx.region}', '${projectId}', 'queued', 'private', 1, 1 FROM n`);
    await expect(one.create()).rejects.toEqual(refusal(413, /image_count_total/));
    await one.ctx.db.delete(images).where(eq(images.region, one.ctx.region));
    await one.create();
  });

  it('is a number of uploads at a time', async () => {
    const one = importStage();
    const id = await one.create();
    for (let at = 0; at < PROJECT_LIMITS.image_count_uploading; at += 1) await full(one, 'uploading', 0);
    await expect(uploadImage(one.ctx, id, sent('x'))).rejects.toEqual(refusal(413, /image_count_uploading/));
    await expect(one.order(id, 'web-download')).rejects.toEqual(refusal(413, /image_count_uploading/));
  });
});
