import { describe, expect, it } from 'vitest';
import { ComputeCloud } from '../../../test/compute-cloud.ts';
import { mintActor } from '../../../test/edge-tokens.ts';

const KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBSdneOW4zOJbEKnGKaedxZQa/cLYvryFOn773OpPB2d someone@somewhere';
const FINGERPRINT = '22:24:39:31:fb:68:b9:d5:fc:ce:87:60:38:71:7d:16';
const fault = async (response: Response) => {
  const [one] = Object.values((await response.json()) as Record<string, { message: string }>);
  return [response.status, one?.message];
};

describe('a key pair', () => {
  it('is imported, shown, listed and forgotten, each version in its own words', async () => {
    const cloud = await ComputeCloud.open();
    const body = { keypair: { name: 'mine', public_key: KEY } };
    const base = { name: 'mine', public_key: KEY, fingerprint: FINGERPRINT };
    const { userId } = cloud.user;
    expect(await cloud.answer('POST', '/os-keypairs', { body })).toEqual({ keypair: { ...base, user_id: userId } });
    expect(await cloud.answer('GET', '/os-keypairs')).toEqual({ keypairs: [{ keypair: base }] });
    expect(await cloud.answer('GET', '/os-keypairs', { version: '2.2' })).toEqual({
      keypairs: [{ keypair: { ...base, type: 'ssh' } }],
    });
    expect(await cloud.answer('GET', '/os-keypairs/mine', { version: '2.2' })).toEqual({
      keypair: {
        ...base,
        type: 'ssh',
        user_id: userId,
        created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
        deleted: false,
        deleted_at: null,
        id: expect.any(Number),
        updated_at: null,
      },
    });
    expect(await fault(await cloud.call('POST', '/os-keypairs', { body }))).toEqual([
      409,
      "Key pair 'mine' already exists.",
    ]);
    expect((await cloud.call('DELETE', '/os-keypairs/mine')).status).toBe(202);
    const missing = `Keypair mine not found for user ${userId}`;
    expect(await fault(await cloud.call('GET', '/os-keypairs/mine'))).toEqual([404, missing]);
    expect(await fault(await cloud.call('DELETE', '/os-keypairs/mine', { version: '2.2' }))).toEqual([404, missing]);
  });

  it.each(['ssh', 'x509'])('of type %s is made, and its private key shown this once', async (type) => {
    const cloud = await ComputeCloud.open();
    const body = { keypair: { name: 'made', type } };
    const { keypair } = await cloud.answer<{ keypair: Record<string, string> }>('POST', '/os-keypairs', {
      body,
      version: '2.2',
      status: 201,
    });
    expect(keypair.private_key).toMatch(/^-----BEGIN (RSA )?PRIVATE KEY-----\n/);
    expect(keypair.public_key).toMatch(type === 'ssh' ? /^ssh-rsa / : /^-----BEGIN CERTIFICATE-----\n/);
    const shown = await cloud.answer<{ keypair: object }>('GET', '/os-keypairs/made', { version: '2.2' });
    expect(shown.keypair).toMatchObject({ type, fingerprint: keypair.fingerprint });
    expect(shown.keypair).not.toHaveProperty('private_key');
    const again = { keypair: { name: 'again', type, public_key: keypair.public_key } };
    const imported = await cloud.answer('POST', '/os-keypairs', { body: again, version: '2.2', status: 201 });
    expect(imported).toMatchObject({ keypair: { fingerprint: keypair.fingerprint } });
  });

  it('is imported alone from 2.92, under more names', async () => {
    const cloud = await ComputeCloud.open();
    const post = (keypair: object, version: string) =>
      cloud.call('POST', '/os-keypairs', { body: { keypair }, version });
    const named = { name: 'me@home.net', public_key: KEY };
    expect((await post(named, '2.91')).status).toBe(400);
    expect((await post({ name: 'made' }, '2.91')).status).toBe(201);
    expect((await post({ name: 'made-too' }, '2.92')).status).toBe(400);
    expect((await post(named, '2.92')).status).toBe(201);
    expect(await cloud.answer('GET', '/os-keypairs/me@home.net')).toMatchObject({ keypair: { name: named.name } });
  });

  it('is the user’s own; an admin may act for another from 2.10', async () => {
    const cloud = await ComputeCloud.open();
    const { userId } = cloud.user;
    const keypair = { name: 'k', public_key: KEY, user_id: userId };
    const of = { version: '2.10' };
    expect((await cloud.call('POST', '/os-keypairs', { body: { keypair }, version: '2.9' })).status).toBe(400);
    const stranger = await mintActor('member');
    expect((await cloud.call('POST', '/os-keypairs', { body: { keypair }, as: stranger, ...of })).status).toBe(403);
    await cloud.answer('POST', '/os-keypairs', { body: { keypair }, as: cloud.admin, ...of, status: 201 });
    expect(await cloud.answer('GET', '/os-keypairs', of)).toMatchObject({ keypairs: [{ keypair: { name: 'k' } }] });
    expect(await cloud.answer('GET', '/os-keypairs', { as: cloud.admin, ...of })).toEqual({ keypairs: [] });
    const path = `/os-keypairs/k?user_id=${userId}`;
    expect((await cloud.call('GET', path, { as: stranger, ...of })).status).toBe(403);
    expect((await cloud.call('DELETE', path, { as: cloud.admin, ...of })).status).toBe(204);
  });

  it('is refused where it is none', async () => {
    const cloud = await ComputeCloud.open();
    const post = async (keypair: object, version = '2.2') =>
      fault(await cloud.call('POST', '/os-keypairs', { body: { keypair }, version }));
    expect(await post({ name: 'k', public_key: 'ssh-rsa JUNK' })).toEqual([
      400,
      'Keypair data is invalid: failed to generate fingerprint',
    ]);
    expect((await post({ name: 'k', type: 'x509', public_key: KEY }))[0]).toBe(400);
    expect((await post({ name: 'k@host', public_key: KEY }))[0]).toBe(400);
    expect((await post({ name: ' k', public_key: KEY }))[0]).toBe(400);
    expect((await post({ name: '', public_key: KEY }))[0]).toBe(400);
    expect((await post({ public_key: KEY }))[0]).toBe(400);
    expect((await post({ name: 'k', public_key: KEY, type: 'ssh' }, '2.1'))[0]).toBe(400);
  });

  it('is one of at most a hundred, listed in pages from 2.35', async () => {
    const cloud = await ComputeCloud.open();
    const names = Array.from({ length: 100 }, (_, index) => `k${String(index).padStart(3, '0')}`);
    for (const name of names)
      await cloud.answer('POST', '/os-keypairs', { body: { keypair: { name, public_key: KEY } } });
    const more = await cloud.call('POST', '/os-keypairs', { body: { keypair: { name: 'more', public_key: KEY } } });
    expect(await fault(more)).toEqual([403, 'Quota exceeded, too many key pairs.']);
    type Page = { keypairs: { keypair: { name: string } }[]; keypairs_links?: { href: string }[] };
    const page = await cloud.answer<Page>('GET', '/os-keypairs?limit=2&marker=k001', { version: '2.35' });
    expect(page.keypairs.map(({ keypair }) => keypair.name)).toEqual(['k002', 'k003']);
    expect(page.keypairs_links?.[0]?.href).toContain('/os-keypairs?limit=2&marker=k003');
    expect((await cloud.call('GET', '/os-keypairs?marker=none', { version: '2.35' })).status).toBe(400);
    expect((await cloud.answer<Page>('GET', '/os-keypairs?limit=2')).keypairs).toHaveLength(100);
  });
});
