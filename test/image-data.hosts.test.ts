import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { until } from '../home/until.ts';
import { type Cloud, startCloud } from './cloud.ts';

const MIB = 1024 * 1024;
const WAIT_MS = 60_000;
/** What workerd may take for an image of any size, beside what it takes at rest. */
const GROWTH_BYTES_MAX = 96 * MIB;

let cloud: Cloud;
beforeAll(async () => {
  cloud = await startCloud();
});
afterAll(() => cloud.stop());

interface Image {
  id: string;
  status: string;
  size: number | null;
}

const create = () =>
  cloud.admin.call<Image>('image', 'POST', '/v2/images', { disk_format: 'raw', container_format: 'bare' });
const show = (id: string) => cloud.admin.call<Image>('image', 'GET', `/v2/images/${id}`);
const reaches = (id: string, status: string) =>
  until(`image ${status}`, WAIT_MS, async () => (await show(id)).status === status);

/** Every file under the folder of blobs, half-written ones included. */
const blobFiles = () =>
  readdirSync(cloud.paths.blobs, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).length;

/** An upload by hand, so that it can be broken anywhere. @param length - declared; undefined: sent in chunks */
async function beginUpload(id: string, length: number | undefined, first: Buffer): Promise<Socket> {
  const url = new URL(cloud.url);
  const socket = connect(Number(url.port), url.hostname);
  socket.on('error', () => {});
  await once(socket, 'connect');
  const framing = length === undefined ? 'Transfer-Encoding: chunked' : `Content-Length: ${length}`;
  const head = `PUT /image/v2/images/${id}/file HTTP/1.1\r\nHost: edge\r\nX-Auth-Token: ${cloud.admin.token}\r\nContent-Type: application/octet-stream\r\n${framing}\r\n\r\n`;
  socket.write(head);
  socket.write(length === undefined ? Buffer.concat([Buffer.from(`${first.length.toString(16)}\r\n`), first]) : first);
  return socket;
}

async function answerOf(socket: Socket): Promise<string> {
  const [data] = (await once(socket, 'data')) as [Buffer];
  return data.toString().split('\r\n')[0] ?? '';
}

it.each([
  ['of declared length, closed', 50 * MIB, 'end'],
  ['of declared length, reset', 50 * MIB, 'reset'],
  ['in chunks, closed', undefined, 'end'],
  ['in chunks, reset', undefined, 'reset'],
] as const)('an upload whose client goes away (%s) leaves its image queued and no file', async (_how, length, end) => {
  const { id } = await create();
  const before = blobFiles();
  const socket = await beginUpload(id, length, Buffer.alloc(MIB, 1));
  await reaches(id, 'saving');
  if (end === 'end') socket.destroy();
  else socket.resetAndDestroy();
  await reaches(id, 'queued');
  await until('no file', WAIT_MS, async () => blobFiles() === before);
  const url = `${cloud.admin.urlOf('image')}/v2/images/${id}/file`;
  const headers = { 'x-auth-token': cloud.admin.token, 'content-type': 'application/octet-stream' };
  expect((await fetch(url, { method: 'PUT', headers, body: 'whole' })).status).toBe(204);
  expect(await show(id)).toMatchObject({ status: 'active', size: 5 });
});

it('an image deleted while it is uploaded leaves no file', async () => {
  const { id } = await create();
  const before = blobFiles();
  const socket = await beginUpload(id, 2 * MIB, Buffer.alloc(MIB));
  await reaches(id, 'saving');
  await cloud.admin.call('image', 'DELETE', `/v2/images/${id}`);
  socket.write(Buffer.alloc(MIB));
  expect(await answerOf(socket)).toBe('HTTP/1.1 410 Gone');
  socket.destroy();
  await until('no file', WAIT_MS, async () => blobFiles() === before);
});

it('a second upload is refused while the first one runs', async () => {
  const { id } = await create();
  const first = await beginUpload(id, 2 * MIB, Buffer.alloc(MIB));
  await reaches(id, 'saving');
  const second = await beginUpload(id, MIB, Buffer.alloc(MIB));
  expect(await answerOf(second)).toBe('HTTP/1.1 409 Conflict');
  second.destroy();
  first.write(Buffer.alloc(MIB));
  expect(await answerOf(first)).toBe('HTTP/1.1 204 No Content');
  first.destroy();
  expect(await show(id)).toMatchObject({ status: 'active', size: 2 * MIB });
});

/** The most memory that workerd has had. */
function peakBytes(): number {
  const status = readFileSync(`/proc/${cloud.edge.workerd.pid()}/status`, 'utf8');
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
}

it('an image of half a gibibyte goes up and comes down through little memory', async () => {
  const sizeBytes = 512 * MIB;
  const { id } = await create();
  const before = peakBytes();
  const piece = new Uint8Array(MIB).fill(9);
  let sent = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (sent === sizeBytes) return controller.close();
      sent += piece.byteLength;
      controller.enqueue(piece.slice());
    },
  });
  await cloud.admin.call('image', 'PUT', `/v2/images/${id}/file`, body, {
    'content-type': 'application/octet-stream',
  });
  expect(await show(id)).toMatchObject({ status: 'active', size: sizeBytes });
  const response = await fetch(`${cloud.admin.urlOf('image')}/v2/images/${id}/file`, {
    headers: { 'x-auth-token': cloud.admin.token },
  });
  let received = 0;
  for await (const part of response.body ?? []) received += part.byteLength;
  expect(received).toBe(sizeBytes);
  expect(peakBytes() - before).toBeLessThan(GROWTH_BYTES_MAX);
});
