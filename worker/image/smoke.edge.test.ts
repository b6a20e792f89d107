import { describe, expect, it } from 'vitest';
import { call, ORIGIN } from '../../test/edge-client.ts';
import { mintActor } from '../../test/edge-tokens.ts';
import { SELF } from 'cloudflare:test';

describe('smoke', () => {
  it('works', async () => {
    const { token } = await mintActor('member');
    const made = await call('POST', '/image/v2/images', { token, body: { name: 'x', disk_format: 'raw', container_format: 'bare', hw_disk_bus: 'virtio' } });
    const image = (await made.json()) as any;
    console.log(made.status, made.headers.get('location'), image);
    const put = await SELF.fetch(`${ORIGIN}/image/v2/images/${image.id}/file`, { method: 'PUT', headers: { 'x-auth-token': token, 'content-type': 'application/octet-stream' }, body: 'hello world' });
    console.log(put.status, await put.text());
    const shown = await call('GET', `/image/v2/images/${image.id}`, { token });
    console.log(await shown.json());
    const got = await call('GET', `/image/v2/images/${image.id}/file`, { token });
    console.log(got.status, [...got.headers], await got.text());
    const list = await call('GET', `/image/v2/images?sort=name:asc&limit=1`, { token });
    console.log(list.status, JSON.stringify(await list.json()));
    expect(1).toBe(1);
  });
});
