import { eq } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import { operations } from '../../../db/schema/fleet.ts';
import { imageRef } from '../../../shared/specs/server.ts';
import { ComputeCloud } from '../../../test/compute-cloud.ts';

async function open() {
  const cloud = await ComputeCloud.open();
  const as = cloud.admin;
  const { aggregate } = await cloud.answer<{ aggregate: { id: number } }>('POST', '/os-aggregates', {
    as,
    body: { aggregate: { name: 'edge' } },
  });
  const add = async (name: string) => {
    const runner = await cloud.addRunner({ name });
    const body = { add_host: { host: name } };
    await cloud.answer('POST', `/os-aggregates/${aggregate.id}/action`, { as, body });
    return runner;
  };
  const cache = (
    images: unknown,
    of: { id?: number | string; version?: string; as?: typeof as; more?: Record<string, unknown> } = {},
  ) => {
    const { id = aggregate.id, version = '2.81', more = {} } = of;
    const body = { cache: images, ...more };
    return cloud.call('POST', `/os-aggregates/${id}/images`, { as: of.as ?? as, version, body });
  };
  const asked = () => cloud.ctx.db.select().from(operations).where(eq(operations.region, cloud.region));
  return { cloud, add, cache, asked };
}

describe('images for the caches of an aggregate’s machines', () => {
  it('are asked of each of them once, with a deadline, and again once that is over', async () => {
    const { cloud, add, cache, asked } = await open();
    const hosts = [await add('alpha'), await add('beta')];
    const elsewhere = await cloud.addRunner({ name: 'gamma' });
    const before = (await cloud.runner(hosts[0] ?? '')).generation;
    const answer = await cache([{ id: cloud.imageId }]);
    expect([answer.status, await answer.text()]).toEqual([202, '']);
    const rows = await asked();
    expect(rows.map((row) => row.runnerId).sort()).toEqual(hosts.sort());
    expect(rows.map((row) => row.runnerId)).not.toContain(elsewhere);
    expect((await cloud.runner(hosts[0] ?? '')).generation).toBe(before + 1);
    for (const row of rows) {
      expect(row).toMatchObject({ kind: 'cache-image', targetKind: 'image', targetId: cloud.imageId, state: 'queued' });
      expect(row.deadlineMs).toBeGreaterThan(row.createdAtMs);
      expect(imageRef.parse(row.args.image)).toEqual({
        id: cloud.imageId,
        sha256: 'a'.repeat(64),
        size_bytes: 1_000_000,
        disk_format: 'qcow2',
      });
    }
    expect((await cache([{ id: cloud.imageId }])).status).toBe(202);
    expect(await asked()).toHaveLength(2);
    await cloud.ended(rows[0]?.runnerId ?? '', rows[0]?.opId ?? '', 'done');
    expect((await cache([{ id: cloud.imageId }])).status).toBe(202);
    expect(await asked()).toHaveLength(3);
  });

  it('are not asked of a machine that is gone, nor where no guest can be started from them', async () => {
    const { cloud, add, cache, asked } = await open();
    const gone = await add('alpha');
    await cloud.ctx.db.run(`UPDATE runners SET state = 'removed' WHERE id = '${gone}'`);
    const here = await add('beta');
    const queued = await cloud.addImage({ status: 'queued', sha256: null, sizeBytes: null });
    const vmdk = await cloud.addImage({ diskFormat: 'vmdk' });
    expect((await cache([{ id: queued }, { id: vmdk }, { id: cloud.imageId }])).status).toBe(202);
    expect((await asked()).map((row) => [row.runnerId, row.targetId])).toEqual([[here, cloud.imageId]]);
  });

  it('are refused as Nova does, and then of all machines', async () => {
    const { cloud, add, cache, asked } = await open();
    await add('alpha');
    const good = { id: cloud.imageId };
    const deleted = await cloud.addImage({ status: 'deleted' });
    const message = async (response: Promise<Response>) => {
      const [one] = Object.values((await (await response).json()) as Record<string, { code: number; message: string }>);
      return [one?.code, one?.message];
    };
    expect(await message(cache([good, good]))).toEqual([400, 'Duplicate images in request']);
    expect(await message(cache([good, { id: deleted }]))).toEqual([400, `Image ${deleted} could not be found.`]);
    expect(await message(cache([good], { id: 999_999_999 }))).toEqual([404, 'Aggregate 999999999 could not be found.']);
    const statuses = [
      cache([]),
      cache([{ id: 'none' }]),
      cache([{}]),
      cache([{ ...good, name: 'guest' }]),
      cache([good], { more: { other: 1 } }),
      cache(Array.from({ length: 101 }, () => ({ id: crypto.randomUUID() }))),
      cache([good], { id: 'none' }),
      cache([good], { as: cloud.user }),
      cache([good], { version: '2.80' }),
    ].map(async (response) => (await response).status);
    expect(await Promise.all(statuses)).toEqual([400, 400, 400, 400, 400, 400, 400, 403, 404]);
    expect(await asked()).toEqual([]);
  });
});
