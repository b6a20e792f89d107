import { env, SELF } from 'cloudflare:test';
import { describe, expect, it } from 'vitest';
import { toHex } from '../../shared/digest.ts';
import { call, ORIGIN } from '../../test/edge-client.ts';
import { qcow2 } from '../../test/edge-imports.ts';
import { mintActor } from '../../test/edge-tokens.ts';

type Image = Record<string, unknown> & { id: string };

const { BUCKET } = env as unknown as { BUCKET: R2Bucket };
const BARE = { disk_format: 'raw', container_format: 'bare' };
const OCTETS = { 'content-type': 'application/octet-stream' };

async function create(token: string, body: Record<string, unknown> = BARE): Promise<Image> {
  return (await call('POST', '/image/v2/images', { token, body })).json();
}
const show = async (token: string, id: string): Promise<Image> =>
  (await call('GET', `/image/v2/images/${id}`, { token })).json();
const upload = (token: string, id: string, body: BodyInit, headers: Record<string, string> = OCTETS) =>
  SELF.fetch(`${ORIGIN}/image/v2/images/${id}/file`, {
    method: 'PUT',
    headers: { 'x-auth-token': token, ...headers },
    body,
  });
const download = (token: string, id: string, headers: Record<string, string> = {}) =>
  call('GET', `/image/v2/images/${id}/file`, { token, headers });
const status = async (pending: Promise<Response>) => {
  const response = await pending;
  await response.body?.cancel();
  return response.status;
};

/** Blobs that were written for an image; keys begin with its first two digits, and ids of tests are random. */
async function blobsOf(id: string): Promise<number> {
  return (await BUCKET.list({ prefix: `images/${id.slice(0, 2)}/` })).objects.length;
}

/** An id whose blobs no other image's can be taken for. */
async function createAlone(token: string, body: Record<string, unknown> = BARE): Promise<Image> {
  for (;;) {
    const id = crypto.randomUUID();
    if ((await blobsOf(id)) === 0) return create(token, { ...body, id });
  }
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  await expect.poll(holds, { interval: 10, message: what }).toBe(true);
}

/** An upload that the test feeds. @param sizeBytes - the length that it declares; undefined: it is sent in chunks */
function feed(sizeBytes?: number) {
  const pipe = sizeBytes === undefined ? new IdentityTransformStream() : new FixedLengthStream(sizeBytes);
  const writer = pipe.writable.getWriter();
  return { body: pipe.readable, writer };
}

describe('uploading an image', () => {
  it('makes it active, with its size and checksums', async () => {
    const { token } = await mintActor('member');
    const { id } = await create(token);
    expect(await status(upload(token, id, 'hello world'))).toBe(204);
    expect(await show(token, id)).toMatchObject({
      status: 'active',
      size: 11,
      virtual_size: 11,
      checksum: '5eb63bbbe01eeed093cb22bb8f5acdc3',
      os_hash_algo: 'sha512',
      os_hash_value: expect.stringMatching(/^309ecc489c12d6eb[0-9a-f]{112}$/),
    });
    expect(await (await download(token, id)).text()).toBe('hello world');
  });

  it('reads how large a qcow2 is for its guest', async () => {
    const { token } = await mintActor('member');
    const { id } = await create(token, { ...BARE, disk_format: 'qcow2' });
    expect(await status(upload(token, id, qcow2()))).toBe(204);
    expect(await show(token, id)).toMatchObject({ size: 1024, virtual_size: 5 * 1024 ** 3 });
  });

  it('takes a stream of any length without holding it', async () => {
    const { token } = await mintActor('member');
    const { id } = await create(token);
    const piece = new Uint8Array(1024 * 1024).fill(7);
    const { body, writer } = feed();
    const answer = upload(token, id, body);
    for (let sent = 0; sent < 64; sent += 1) await writer.write(piece);
    await writer.close();
    expect(await status(answer)).toBe(204);
    expect(await show(token, id)).toMatchObject({ size: 64 * 1024 * 1024, status: 'active' });
    const digest = new crypto.DigestStream('MD5');
    const response = await download(token, id);
    expect(response.headers.get('content-length')).toBe(String(64 * 1024 * 1024));
    await response.body?.pipeTo(digest);
    expect(toHex(await digest.digest)).toBe(response.headers.get('content-md5'));
  });

  it.each([
    ['nothing said of it', {}],
    ['JSON', { 'content-type': 'application/json' }],
  ])('refuses a body with %s', async (_what, headers) => {
    const { token } = await mintActor('member');
    const { id } = await create(token);
    expect(await status(upload(token, id, new Uint8Array(3), headers))).toBe(415);
    expect((await show(token, id)).status).toBe('queued');
  });

  it('needs both formats first', async () => {
    const { token } = await mintActor('member');
    const { id } = await create(token, { disk_format: 'raw' });
    const refused = await upload(token, id, 'x');
    expect([refused.status, await refused.text()]).toEqual([
      400,
      expect.stringContaining('Property container_format must be set prior to saving data.'),
    ]);
  });

  it('is done once', async () => {
    const { token } = await mintActor('member');
    const { id } = await create(token);
    expect(await status(upload(token, id, 'first'))).toBe(204);
    expect(await status(upload(token, id, 'second'))).toBe(409);
    expect(await (await download(token, id)).text()).toBe('first');
  });

  it('is won by one of two that race', async () => {
    const { token } = await mintActor('member');
    const { id } = await createAlone(token);
    const statuses = await Promise.all(['aaaa', 'bbbb'].map((body) => status(upload(token, id, body))));
    expect(statuses.sort()).toEqual([204, 409]);
    expect((await show(token, id)).status).toBe('active');
    expect(await blobsOf(id)).toBe(1);
  });

  it('that breaks off leaves the image queued and nothing behind; another one succeeds', async () => {
    const { token } = await mintActor('member');
    const { id } = await createAlone(token);
    const { body, writer } = feed(200_000);
    const answer = upload(token, id, body).catch(() => undefined);
    await writer.write(new Uint8Array(100_000));
    await until('saving', async () => (await show(token, id)).status === 'saving');
    await writer.abort(new Error('the client went away'));
    await answer;
    await until('queued', async () => (await show(token, id)).status === 'queued');
    expect(await show(token, id)).toMatchObject({ size: null, checksum: null });
    expect(await blobsOf(id)).toBe(0);
    expect(await status(upload(token, id, 'whole'))).toBe(204);
  });

  it('whose image is deleted meanwhile removes what it wrote', async () => {
    const { token } = await mintActor('member');
    const { id } = await createAlone(token);
    const { body, writer } = feed();
    const answer = upload(token, id, body);
    await writer.write(new Uint8Array(100_000));
    await until('saving', async () => (await show(token, id)).status === 'saving');
    expect(await status(call('DELETE', `/image/v2/images/${id}`, { token }))).toBe(204);
    await writer.close();
    expect(await status(answer)).toBe(410);
    expect(await blobsOf(id)).toBe(0);
    expect(await status(call('GET', `/image/v2/images/${id}`, { token }))).toBe(404);
  });

  it.each([
    ['a qcow2 with a backing file', 'qcow2', qcow2(104n)],
    ['raw data called qcow2', 'qcow2', new Uint8Array(70_000)],
    ['a qcow2 called raw', 'raw', qcow2()],
    ['a qcow2 called a kernel', 'aki', qcow2()],
  ])('refuses %s', async (_what, diskFormat, data) => {
    const { token } = await mintActor('member');
    const { id } = await createAlone(token, { ...BARE, disk_format: diskFormat });
    expect(await status(upload(token, id, data))).toBe(415);
    expect((await show(token, id)).status).toBe('queued');
    expect(await blobsOf(id)).toBe(0);
  });

  it('refuses less than was declared', async () => {
    const { token } = await mintActor('member');
    const { id } = await create(token);
    expect(await status(upload(token, id, 'abc', { ...OCTETS, 'x-openstack-image-size': '4' }))).toBe(400);
    expect(await status(upload(token, id, 'abc', { ...OCTETS, 'x-openstack-image-size': 'many' }))).toBe(400);
    expect(await status(upload(token, id, 'abc', { ...OCTETS, 'x-openstack-image-size': '999999999999' }))).toBe(413);
    expect((await show(token, id)).status).toBe('queued');
    expect(await status(upload(token, id, 'abc', { ...OCTETS, 'x-openstack-image-size': '3' }))).toBe(204);
  });
});

describe('downloading an image', () => {
  it('gives the part that is asked for', async () => {
    const { token } = await mintActor('member');
    const { id } = await create(token);
    await status(upload(token, id, '0123456789'));
    const part = await download(token, id, { range: 'bytes=2-4' });
    expect([part.status, await part.text()]).toEqual([206, '234']);
    expect(part.headers.get('content-range')).toBe('bytes 2-4/10');
    expect(part.headers.get('content-length')).toBe('3');
    expect(part.headers.get('content-type')).toBe('application/octet-stream');
    expect(await (await download(token, id, { range: 'bytes=-2' })).text()).toBe('89');
    expect(await status(download(token, id, { range: 'bytes=10-' }))).toBe(416);
    expect(await status(download(token, id, { range: 'bytes=0-1,3-4' }))).toBe(400);
  });

  it('is empty while there is no data, and when the data is empty', async () => {
    const { token } = await mintActor('member');
    const { id } = await create(token);
    expect(await status(download(token, id))).toBe(204);
    expect(await status(upload(token, id, ''))).toBe(204);
    expect(await show(token, id)).toMatchObject({ status: 'active', size: 0 });
    expect(await status(download(token, id))).toBe(204);
  });

  it('is for admins only while the image is deactivated', async () => {
    const { token } = await mintActor('member');
    const admin = await mintActor('admin');
    const { id } = await create(token);
    const act = (action: string) => status(call('POST', `/image/v2/images/${id}/actions/${action}`, { token }));
    expect(await act('deactivate')).toBe(403);
    await status(upload(token, id, 'data'));
    expect(await act('deactivate')).toBe(204);
    expect(await act('deactivate')).toBe(204);
    expect((await show(token, id)).status).toBe('deactivated');
    expect(await status(download(token, id))).toBe(403);
    expect(await (await download(admin.token, id)).text()).toBe('data');
    expect(await act('reactivate')).toBe(204);
    expect(await (await download(token, id)).text()).toBe('data');
  });

  it('ends with the image, whose data is removed', async () => {
    const { token } = await mintActor('member');
    const { id } = await createAlone(token);
    await status(upload(token, id, 'data'));
    expect(await blobsOf(id)).toBe(1);
    await status(call('DELETE', `/image/v2/images/${id}`, { token }));
    expect(await status(download(token, id))).toBe(404);
    await until('no blob', async () => (await blobsOf(id)) === 0);
  });
});
