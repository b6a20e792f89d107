import { env, SELF } from 'cloudflare:test';
import { eq } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import { audit } from '../../db/schema/audit.ts';
import { operations, runners } from '../../db/schema/fleet.ts';
import { images, looseBlobs } from '../../db/schema/image.ts';
import { ORIGIN } from '../../test/edge-client.ts';
import { edgeContext } from '../../test/edge-context.ts';
import type { Env } from '../env.ts';
import { signRunnerToken } from '../fleet/runner-token.ts';
import { commitAll } from '../http/commit.ts';
import { PROPERTIES_MAX, UPLOAD_LEASE_MS } from './limits.ts';
import { sweepLooseBlobs } from './loose-blobs.ts';
import { dropSnapshots, newSnapshot, type SnapshotInput } from './new-snapshot.ts';
import { receiveSnapshot } from './receive-snapshot.ts';

const region = `region-${crypto.randomUUID()}`;
const ctx = { ...edgeContext(), region };
const refusal = (status: number) => expect.objectContaining({ status });
const sent = (content: string | Uint8Array) => ({
  body: new Blob([content]).stream(),
  contentLength: undefined,
  declaredBytes: undefined,
});

async function newRunner(): Promise<string> {
  const id = crypto.randomUUID();
  const row = { id, region, name: id, zone: 'nova', publicKey: '', machineId: id, state: 'enabled' as const };
  await ctx.db.insert(runners).values({ ...row, createdAtMs: 1, updatedAtMs: 1 });
  return id;
}

async function snapshot(of: Partial<SnapshotInput> = {}): Promise<string> {
  const { row, statements } = newSnapshot(ctx, {
    projectId: crypto.randomUUID(),
    name: 'snapshot',
    visibility: 'private',
    inherited: {},
    properties: { image_type: 'snapshot' },
    minDiskGib: 1,
    minRamMib: 0,
    diskFormat: 'raw',
    ...of,
  });
  await commitAll(ctx, statements);
  return row.id;
}

async function ask(runnerId: string, imageId: string, state: 'accepted' | 'done' = 'accepted'): Promise<void> {
  await ctx.db.insert(operations).values({
    ...{ opId: crypto.randomUUID(), region, runnerId, kind: 'snapshot', targetKind: 'server', targetEpoch: 1, state },
    ...{ targetId: crypto.randomUUID(), requestId: 'req', args: { image_id: imageId }, deadlineMs: 9, createdAtMs: 1 },
  });
}
const rowOf = async (id: string) => (await ctx.db.select().from(images).where(eq(images.id, id)))[0];
const loose = () => ctx.db.select().from(looseBlobs).where(eq(looseBlobs.region, region));

describe('a snapshot', () => {
  it('inherits what may be inherited, and says the rest itself', async () => {
    const inherited = { os_distro: 'debian', image_type: 'x', img_signature: 's', os_glance_failed_import: 'a' };
    const id = await snapshot({ inherited });
    expect(await rowOf(id)).toMatchObject({
      status: 'queued',
      containerFormat: 'bare',
      properties: { os_distro: 'debian', image_type: 'snapshot' },
    });
  });

  it('is refused with too many properties', async () => {
    const inherited = Object.fromEntries(Array.from({ length: PROPERTIES_MAX }, (_, at) => [`p${at}`, '']));
    await expect(snapshot({ inherited })).rejects.toEqual(refusal(413));
  });

  it('is filled by the runner that was asked for it, who is in the audit', async () => {
    const [runnerId, id] = [await newRunner(), await snapshot()];
    await ask(runnerId, id);
    await receiveSnapshot(ctx, runnerId, id, sent('disk'));
    expect(await rowOf(id)).toMatchObject({ status: 'active', sizeBytes: 4, virtualSizeBytes: 4 });
    expect(await loose()).toEqual([]);
    const trail = await ctx.db.select().from(audit).where(eq(audit.targetId, id));
    expect(trail.map(({ action, actorType, actorId }) => [action, actorType, actorId])).toEqual(
      ['image.upload', 'image.activate'].map((action) => [action, 'runner', runnerId]),
    );
  });

  it('is sent again at no cost when it is active already', async () => {
    const [runnerId, id] = [await newRunner(), await snapshot()];
    await ask(runnerId, id);
    await receiveSnapshot(ctx, runnerId, id, sent('disk'));
    await receiveSnapshot(ctx, runnerId, id, sent('something else'));
    expect(await rowOf(id)).toMatchObject({ status: 'active', sizeBytes: 4 });
  });

  it('is not taken from others, nor for operations that have ended', async () => {
    const [runnerId, other, id] = [await newRunner(), await newRunner(), await snapshot()];
    await ask(runnerId, id, 'done');
    await ask(other, crypto.randomUUID());
    for (const one of [runnerId, other]) {
      await expect(receiveSnapshot(ctx, one, id, sent('disk'))).rejects.toEqual(refusal(404));
    }
    expect(await rowOf(id)).toMatchObject({ status: 'queued' });
  });

  it('that has a backing file is refused, and queued again', async () => {
    const [runnerId, id] = [await newRunner(), await snapshot({ diskFormat: 'qcow2' })];
    await ask(runnerId, id);
    const overlay = new Uint8Array(1024);
    overlay.set([0x51, 0x46, 0x49, 0xfb, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 104]);
    await expect(receiveSnapshot(ctx, runnerId, id, sent(overlay))).rejects.toEqual(refusal(415));
    expect(await rowOf(id)).toMatchObject({ status: 'queued', blobKey: null });
  });

  it('is taken over by a newer upload of a runner that came back', async () => {
    const [runnerId, id] = [await newRunner(), await snapshot()];
    await ask(runnerId, id);
    const pipe = new IdentityTransformStream();
    const writer = pipe.writable.getWriter();
    const older = receiveSnapshot(ctx, runnerId, id, { ...sent(''), body: pipe.readable });
    const ended = expect(older).rejects.toEqual(refusal(410));
    await writer.write(new Uint8Array(10));
    const { blobKey } = (await rowOf(id)) ?? {};
    await receiveSnapshot(ctx, runnerId, id, sent('newer'));
    await writer.close();
    await ended;
    expect(await rowOf(id)).toMatchObject({ status: 'active', sizeBytes: 5 });
    expect(await ctx.blobs.get(blobKey ?? '')).toBeNull();
    const later = { ...ctx, clock: { nowMs: () => ctx.clock.nowMs() + UPLOAD_LEASE_MS + 1 } };
    await sweepLooseBlobs(later);
    expect(await rowOf(id)).toMatchObject({ status: 'active', sizeBytes: 5 });
  });

  it('that was given up ends what is under way, and stays when it is active', async () => {
    const [runnerId, id] = [await newRunner(), await snapshot()];
    await ask(runnerId, id);
    const pipe = new IdentityTransformStream();
    const writer = pipe.writable.getWriter();
    const ended = expect(receiveSnapshot(ctx, runnerId, id, { ...sent(''), body: pipe.readable })).rejects.toEqual(
      refusal(410),
    );
    await writer.write(new Uint8Array(10));
    await commitAll(ctx, dropSnapshots(ctx, id));
    await writer.close();
    await ended;
    expect(await rowOf(id)).toMatchObject({ status: 'deleted' });
    expect(await loose()).toEqual([]);

    const kept = await snapshot();
    await ask(runnerId, kept);
    await receiveSnapshot(ctx, runnerId, kept, sent('disk'));
    await commitAll(ctx, dropSnapshots(ctx, kept));
    expect(await rowOf(kept)).toMatchObject({ status: 'active' });
  });
});

it('a runner sends a snapshot with the bearer of its newest session', async () => {
  const [runnerId, id] = [await newRunner(), await snapshot()];
  await ask(runnerId, id);
  const put = async (epoch: number) => {
    const bearer = await signRunnerToken(env as unknown as Env, ctx.clock, { id: runnerId, epoch });
    const response = await SELF.fetch(`${ORIGIN}/aerostat/v1/runner/images/${id}`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${bearer}`, 'content-type': 'application/octet-stream' },
      body: 'disk',
    });
    await response.body?.cancel();
    return response.status;
  };
  expect(await put(1)).toBe(401);
  expect(await put(0)).toBe(204);
  expect(await rowOf(id)).toMatchObject({ status: 'active', sizeBytes: 4 });
});
