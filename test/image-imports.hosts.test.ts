import { readdirSync, readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { images, imageTasks, looseBlobs } from '../db/schema/image.ts';
import { until } from '../home/until.ts';
import { type Cloud, startCloud } from './cloud.ts';

const MIB = 1024 * 1024;
const WAIT_MS = 60_000;
const LARGE_BYTES = 256 * MIB;
/** What workerd may take for a download of any size, beside what it takes at rest. */
const GROWTH_BYTES_MAX = 96 * MIB;
/** The one address that downloads may come from, beside public ones. */
const ALLOWED = '127.0.0.2';

let cloud: Cloud;
/** Answers of a host on every address of this machine. */
const paths: Record<string, (request: IncomingMessage, response: ServerResponse) => void> = {};
const asked: string[] = [];
const host = createServer((request, response) => {
  asked.push(`${request.socket.localAddress}${request.url}`);
  paths[request.url ?? '']?.(request, response);
});
const port = () => (host.address() as AddressInfo).port;
const at = (path: string, address = ALLOWED) => `http://${address}:${port()}${path}`;

beforeAll(async () => {
  await new Promise<void>((resolve) => host.listen(0, '0.0.0.0', resolve));
  cloud = await startCloud({ importAllow: [`${ALLOWED}/32`] });
});
afterAll(async () => {
  await cloud?.stop();
  host.closeAllConnections();
  await new Promise((resolve) => host.close(resolve));
});

interface Image {
  id: string;
  status: string;
  size: number | null;
  os_glance_failed_import?: string;
}

const show = (id: string) => cloud.admin.call<Image>('image', 'GET', `/v2/images/${id}`);

/** An image whose download from a URI was begun. */
async function download(uri: string): Promise<string> {
  const body = { disk_format: 'raw', container_format: 'bare' };
  const { id } = await cloud.admin.call<Image>('image', 'POST', '/v2/images', body);
  await cloud.admin.call('image', 'POST', `/v2/images/${id}/import`, { method: { name: 'web-download', uri } });
  return id;
}
const reaches = (id: string, status: string) =>
  until(`image ${status}`, WAIT_MS, async () => (await show(id)).status === status);
async function taskOf(id: string): Promise<{ status: string; message: string }> {
  type Tasks = { tasks: { status: string; message: string }[] };
  const { tasks } = await cloud.admin.call<Tasks>('image', 'GET', `/v2/images/${id}/tasks`);
  return tasks[0] ?? { status: 'none', message: '' };
}
const blobFiles = () =>
  readdirSync(cloud.paths.blobs, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).length;
const peakBytes = () =>
  Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${cloud.edge.workerd.pid()}/status`, 'utf8'))?.[1]) * 1024;

/** Sends zeros as fast as they are taken. */
function sendZeros(response: ServerResponse, bytes: number): void {
  const piece = Buffer.alloc(MIB);
  let left = bytes;
  const more = () => {
    while (left > 0) {
      left -= MIB;
      if (!response.write(piece)) return response.once('drain', more);
    }
    return response.end();
  };
  more();
}

it('a large image comes from elsewhere through little memory', async () => {
  paths['/large'] = (_, response) => sendZeros(response.writeHead(200, { 'content-length': LARGE_BYTES }), LARGE_BYTES);
  const before = peakBytes();
  const id = await download(at('/large'));
  await reaches(id, 'active');
  expect(await show(id)).toMatchObject({ size: LARGE_BYTES, virtual_size: LARGE_BYTES, os_glance_failed_import: '' });
  expect(peakBytes() - before).toBeLessThan(GROWTH_BYTES_MAX);
  expect(await taskOf(id)).toMatchObject({ status: 'success' });
});

it.each([
  ['breaks off', (response: ServerResponse) => response.socket?.resetAndDestroy()],
  ['ends early', (response: ServerResponse) => response.socket?.end()],
])('a download that %s fails, and leaves nothing', async (_how, end) => {
  const before = blobFiles();
  paths['/broken'] = (_, response) => {
    response.writeHead(200, { 'content-length': 5 * MIB });
    response.write(Buffer.alloc(MIB), () => end(response));
  };
  const id = await download(at('/broken'));
  await until('failed', WAIT_MS, async () => (await show(id)).os_glance_failed_import === 'aerostat');
  expect(await show(id)).toMatchObject({ status: 'queued', size: null });
  expect(await taskOf(id)).toMatchObject({
    status: 'failure',
    message: expect.stringMatching(/broke off|did not take/),
  });
  await until('no file', WAIT_MS, async () => blobFiles() === before);
});

it.each([
  ['a name that means a private address', () => `http://localhost:${port()}/secret`, /was not reached/],
  ['a redirect to a private address', () => at('/redirect'), /does not pass filtering/],
  ['a redirect to a name that means one', () => at('/redirect-by-name'), /was not reached/],
])('nothing private is reached by %s', async (_how, uri, message) => {
  paths['/secret'] = (_, response) => response.end('secret');
  paths['/redirect'] = (_, response) => response.writeHead(302, { location: at('/secret', '127.0.0.1') }).end();
  paths['/redirect-by-name'] = (_, response) =>
    response.writeHead(302, { location: `http://localhost:${port()}/secret` }).end();
  const id = await download(uri());
  await until('failed', WAIT_MS, async () => (await show(id)).os_glance_failed_import === 'aerostat');
  expect(await taskOf(id)).toMatchObject({ status: 'failure', message: expect.stringMatching(message) });
  expect(asked.filter((one) => one.endsWith('/secret'))).toEqual([]);
});

it('a download whose worker dies begins again', async () => {
  let answers = 0;
  paths['/twice'] = (_, response) => {
    answers += 1;
    response.writeHead(200, { 'content-length': MIB });
    if (answers === 1) response.write(Buffer.alloc(1000));
    else response.end(Buffer.alloc(MIB));
  };
  const id = await download(at('/twice'));
  await until('under way', WAIT_MS, async () => answers === 1);
  const pid = cloud.edge.workerd.pid() ?? 0;
  process.kill(pid, 'SIGKILL');
  await until('a new worker', WAIT_MS, async () => ![undefined, pid].includes(cloud.edge.workerd.pid()));
  // Its lease would end by itself, later.
  const { db } = cloud.edge;
  const [row] = await db.select({ blobKey: images.blobKey }).from(images).where(eq(images.id, id));
  await db.batch([
    db
      .update(looseBlobs)
      .set({ afterMs: 0 })
      .where(eq(looseBlobs.key, row?.blobKey ?? '')),
    db.update(imageTasks).set({ updatedAtMs: 0 }).where(eq(imageTasks.imageId, id)),
  ]);
  await until('active', WAIT_MS, async () => {
    const shown = await show(id).catch(() => undefined);
    return shown?.status === 'active';
  });
  expect(await db.select().from(imageTasks).where(eq(imageTasks.imageId, id))).toMatchObject([
    { status: 'success', attempts: 2 },
  ]);
  expect(answers).toBe(2);
});
