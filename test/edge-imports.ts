import { eq } from 'drizzle-orm';
import { expect } from 'vitest';
import { images, imageTasks, looseBlobs } from '../db/schema/image.ts';
import type { Timers } from '../shared/clock.ts';
import type { ActorContext } from '../worker/http/context.ts';
import { createImage } from '../worker/image/create-image.ts';
import type { ImageBody } from '../worker/image/image-body.ts';
import { parseImport } from '../worker/image/imports/import-body.ts';
import { importImage } from '../worker/image/imports/import-image.ts';
import { runImport } from '../worker/image/imports/run-import.ts';
import type { UploadInput } from '../worker/image/store-upload.ts';
import { actorContextOf } from './edge-context.ts';

/** Where images come from in these tests; nobody is asked there. */
export const SOURCE = 'http://images.example.org/disk.img';
/** An ApiError of a status, and of a message where one is given. */
export const refusal = (status: number, message?: RegExp) =>
  expect.objectContaining({ status, ...(message ? { message: expect.stringMatching(message) } : {}) });
/** A request's data, of a length that it does not say. */
export const sent = (content: string | Uint8Array): UploadInput => ({
  body: new Blob([content]).stream(),
  contentLength: undefined,
  declaredBytes: undefined,
});
/** The head of a qcow2 of 5 GiB. */
export function qcow2(backingOffset = 0n): Uint8Array {
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
export function importStage(replaced: Partial<ActorContext> = {}) {
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
export type Stage = ReturnType<typeof importStage>;

/** An import that failed: the image is queued again, nothing is left, and the task says why. */
export async function expectFailed(one: Stage, id: string, message: RegExp): Promise<void> {
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
