import { createHmac } from 'node:crypto';
import { eq } from 'drizzle-orm';
import { describe, expect, test } from 'vitest';
import { credentials } from '../../../db/schema/delegation.ts';
import { ORIGIN } from '../../../test/edge-client.ts';
import { edgeContext } from '../../../test/edge-context.ts';
import {
  exchange,
  grant,
  keystone,
  login,
  must,
  newProject,
  newUser,
  type TestUser,
  tokenOf,
  validate,
} from '../../../test/edge-identity.ts';
import { ec2Signature, s3Signature } from '../ec2/signatures.ts';

interface Owner {
  user: TestUser;
  projectId: string;
  token: string;
}
async function newOwner(role = 'member'): Promise<Owner> {
  const [user, project] = [await newUser(), await newProject()];
  await grant(user.id, role, `projects/${project.id}`);
  return { user, projectId: project.id, token: await tokenOf(user, { project: { id: project.id } }) };
}
const create = (token: string, credential: object) => keystone('POST', '/credentials', { token, body: { credential } });
const status = async (method: string, path: string, token: string, body?: object) =>
  (await keystone(method, path, { token, ...(body ? { body } : {}) })).status;
const keysOf = async ({ user, projectId, token }: Owner) =>
  (await must('POST', `/users/${user.id}/credentials/OS-EC2`, { token, body: { tenant_id: projectId } })).body
    .credential;

describe('a credential', () => {
  test('is kept sealed, and only its owner and administrators see it', async () => {
    const [owner, other] = [await newOwner(), await newOwner()];
    const body = { user_id: owner.user.id, type: 'cert', blob: 'very secret', purpose: 'x' };
    const made = (await create(owner.token, body)).body.credential;
    expect(made).toEqual({
      ...body,
      id: made.id,
      project_id: null,
      links: { self: `${ORIGIN}/identity/v3/credentials/${made.id}` },
    });
    const { db } = edgeContext();
    const [row] = await db.select().from(credentials).where(eq(credentials.id, made.id));
    expect(JSON.stringify(row)).not.toContain('very secret');
    const path = `/credentials/${made.id}`;
    expect((await must('GET', path, { token: owner.token })).body.credential).toEqual(made);
    expect((await keystone('GET', path)).status).toBe(200);
    const change = { credential: { blob: 'another', purpose: null } };
    for (const method of ['GET', 'DELETE']) expect(await status(method, path, other.token)).toBe(403);
    expect(await status('PATCH', path, other.token, change)).toBe(403);
    expect(await status('PATCH', path, owner.token, { credential: { user_id: other.user.id } })).toBe(403);
    const changed = (await must('PATCH', path, { token: owner.token, body: change })).body.credential;
    expect([changed.blob, 'purpose' in changed]).toEqual(['another', false]);
    const listed = async (token: string) => (await must('GET', '/credentials?type=cert', { token })).body.credentials;
    expect(await listed(owner.token)).toEqual([changed]);
    expect(await listed(other.token)).toEqual([]);
    expect((await must('GET', `/credentials?user_id=${owner.user.id}`)).body.credentials).toEqual([changed]);
    expect((await create(other.token, body)).status).toBe(403);
    expect(await status('DELETE', path, owner.token)).toBe(204);
    expect((await keystone('GET', path)).status).toBe(404);
  });

  test('for EC2 has an access key of its own', async () => {
    const { user, projectId, token } = await newOwner();
    const access = crypto.randomUUID();
    const credential = {
      user_id: user.id,
      project_id: projectId,
      type: 'ec2',
      blob: JSON.stringify({ access, secret: 's' }),
    };
    const made = await create(token, credential);
    expect(made.body.credential.id).toMatch(/^[0-9a-f]{64}$/);
    expect((await create(token, credential)).status).toBe(409);
    const path = `/credentials/${made.body.credential.id}`;
    const blob = JSON.stringify({ access, secret: 's', trust_id: 't' });
    expect(await status('PATCH', path, token, { credential: { blob } })).toBe(400);
    for (const wrong of [{ blob: 'x' }, { blob: '{}' }, { blob: '1' }, { project_id: null }, { blob: undefined }]) {
      expect((await create(token, { ...credential, ...wrong })).status).toBe(400);
    }
  });

  test('goes with its user, and with its project', async () => {
    const owner = await newOwner();
    const { access } = await keysOf(owner);
    const at = `/users/${owner.user.id}/credentials/OS-EC2/${access}`;
    expect((await keystone('GET', at)).status).toBe(200);
    await must('DELETE', `/projects/${owner.projectId}`);
    expect((await keystone('GET', at)).status).toBe(404);
    const cert = { user_id: owner.user.id, type: 'cert', blob: 'x' };
    const { id } = (await must('POST', '/credentials', { body: { credential: cert } })).body.credential;
    await must('DELETE', `/users/${owner.user.id}`);
    expect((await keystone('GET', `/credentials/${id}`)).status).toBe(404);
  });
});

describe('a key pair', () => {
  test('is made, listed, shown and deleted by members', async () => {
    const owner = await newOwner();
    const { user, projectId, token } = owner;
    const pair = await keysOf(owner);
    const path = `/users/${user.id}/credentials/OS-EC2`;
    expect(pair).toEqual({
      user_id: user.id,
      tenant_id: projectId,
      access: expect.stringMatching(/^[0-9a-f]{32}$/),
      secret: expect.stringMatching(/^[0-9a-f]{32}$/),
      trust_id: null,
      links: { self: `${ORIGIN}/identity/v3${path}/${pair.access}` },
    });
    expect((await must('GET', path, { token })).body.credentials).toEqual([pair]);
    expect((await must('GET', `${path}/${pair.access}`, { token })).body.credential).toEqual(pair);
    const reader = await newOwner('reader');
    const own = `/users/${reader.user.id}/credentials/OS-EC2`;
    expect(await status('POST', own, reader.token, { tenant_id: reader.projectId })).toBe(403);
    expect(await status('GET', path, reader.token)).toBe(403);
    expect(await status('DELETE', `${path}/${pair.access}`, reader.token)).toBe(403);
    expect(await status('POST', path, token, { tenant_id: 'nowhere' })).toBe(404);
    expect(await status('DELETE', `${path}/${pair.access}`, token)).toBe(204);
    expect(await status('GET', `${path}/${pair.access}`, token)).toBe(404);
  });
});

/** What a service asks, that was given a request signed with a key pair. */
function signed({ access, secret }: { access: string; secret: string }, more: Record<string, string> = {}) {
  const params: Record<string, string> = {
    Action: 'x',
    Timestamp: new Date().toISOString(),
    SignatureVersion: '0',
    ...more,
  };
  const signature = createHmac('sha1', secret).update(`${params.Action}${params.Timestamp}`).digest('base64');
  return { credentials: { access, signature, host: 'h', verb: 'GET', path: '/', params } };
}
const ask = async (body: object, token?: string) =>
  keystone('POST', '/ec2tokens?nocatalog', { body, ...(token ? { token } : {}) });

describe('a signed request', () => {
  test('is a log-in, for services that ask', async () => {
    const owner = await newOwner();
    const pair = await keysOf(owner);
    const answer = await ask(signed(pair));
    expect(answer.status).toBe(200);
    expect(answer.body.token).toMatchObject({
      methods: ['ec2credential'],
      user: { id: owner.user.id },
      project: { id: owner.projectId },
    });
    expect((await validate(answer.headers.get('x-subject-token') ?? '')).status).toBe(200);
    expect((await ask(signed(pair), owner.token)).status).toBe(403);
    const service = await newOwner('service');
    expect((await ask(signed(pair), service.token)).status).toBe(200);
    expect((await keystone('POST', '/ec2tokens', { token: null, body: signed(pair) })).status).toBe(401);
    expect((await ask(signed({ ...pair, secret: 'wrong' }))).status).toBe(401);
    expect((await ask(signed({ ...pair, access: 'wrong' }))).status).toBe(404);
    expect((await ask(signed(pair, { Timestamp: '2026-01-01T00:00:00Z' }))).status).toBe(401);
    expect((await ask(signed(pair, { Timestamp: 'noon' }))).status).toBe(401);
    expect((await ask({ credentials: {} })).status).toBe(401);
    expect((await ask({})).status).toBe(400);
    await must('PATCH', `/users/${owner.user.id}`, { body: { user: { enabled: false } } });
    expect((await ask(signed(pair))).status).toBe(401);
  });

  test('of S3 tells who it is, and gives no token away', async () => {
    const owner = await newOwner();
    const { access, secret } = await keysOf(owner);
    const text = `GET\n\n\n${Date.now()}\n/bucket`;
    const token = Buffer.from(text).toString('base64');
    const signature = createHmac('sha1', secret).update(text).digest('base64');
    const ask = (more: object) =>
      keystone('POST', '/s3tokens', { body: { credentials: { access, token, signature, ...more } } });
    const answer = await ask({});
    expect([answer.status, answer.body.token.project.id]).toEqual([200, owner.projectId]);
    expect(answer.headers.get('x-subject-token')).toBeNull();
    expect((await ask({ signature: 'wrong' })).status).toBe(401);
  });

  test('of S3 is taken for a week, or for as long as its service says', async () => {
    const { access, secret } = await keysOf(await newOwner());
    const MINUTE_MS = 60_000;
    const dateOf = (agoMs: number) => new Date(Date.now() - agoMs).toISOString().replace(/[-:]|\.\d+/g, '');
    const ask = async (date: string, more: object = {}) => {
      const text = ['AWS4-HMAC-SHA256', date, `${date.slice(0, 8)}/here/s3/aws4_request`, 'f00'].join('\n');
      const token = Buffer.from(text).toString('base64');
      const credentials = { access, token, signature: s3Signature(secret, token), ...more };
      return (await keystone('POST', '/s3tokens', { body: { credentials } })).status;
    };
    const hour = dateOf(60 * MINUTE_MS);
    expect(await ask(hour)).toBe(200);
    expect(await ask(dateOf(8 * 24 * 60 * MINUTE_MS))).toBe(401);
    expect(await ask('yesterday')).toBe(401);
    for (const said of [
      { params: { Timestamp: hour } },
      { params: { 'X-Amz-Date': hour } },
      { headers: { 'X-Amz-Date': hour } },
    ]) {
      expect(await ask(hour, said)).toBe(401);
    }
    expect(await ask(hour, { params: { Timestamp: dateOf(10 * MINUTE_MS) } })).toBe(200);
  });

  test('is worth what the token was that made the key pair', async () => {
    const owner = await newOwner('manager');
    const credential = { name: 'x', roles: [{ name: 'member' }], unrestricted: true };
    const path = `/users/${owner.user.id}/application_credentials`;
    const { id, secret } = (
      await must('POST', path, { token: owner.token, body: { application_credential: credential } })
    ).body.application_credential;
    const identity = { methods: ['application_credential'], application_credential: { id, secret } };
    const limited = await must('POST', '/auth/tokens', { token: null, body: { auth: { identity } } });
    const pair = await keysOf({ ...owner, token: limited.headers.get('x-subject-token') ?? '' });
    const answer = (await ask(signed(pair))).body.token;
    expect(answer.application_credential.id).toBe(id);
    expect(answer.roles.map(({ name }: { name: string }) => name).sort()).toEqual(['member', 'reader']);
    await must('DELETE', `${path}/${id}`, { token: owner.token });
    expect((await ask(signed(pair))).status).toBe(401);
  });

  test('by a trust is the trustee who comes', async () => {
    const [owner, trustee] = [await newOwner(), await newUser()];
    const trust = {
      trustor_user_id: owner.user.id,
      trustee_user_id: trustee.id,
      project_id: owner.projectId,
      impersonation: true,
      roles: [{ name: 'member' }],
    };
    const { id } = (await must('POST', '/OS-TRUST/trusts', { token: owner.token, body: { trust } })).body.trust;
    const byTrust = (await login(trustee, { 'OS-TRUST:trust': { id } })).headers.get('x-subject-token') ?? '';
    const pair = await keysOf({ ...owner, token: byTrust });
    expect(pair.trust_id).toBe(id);
    // The trustor's own key pair is worth more than the trust.
    const own = await keysOf(owner);
    const at = `/users/${owner.user.id}/credentials/OS-EC2`;
    expect((await must('GET', at, { token: byTrust })).body.credentials).toEqual([pair]);
    expect((await must('GET', '/credentials', { token: byTrust })).body.credentials).toHaveLength(1);
    for (const method of ['GET', 'DELETE']) expect(await status(method, `${at}/${own.access}`, byTrust)).toBe(403);
    expect(await status('GET', `${at}/${pair.access}`, byTrust)).toBe(200);
    const answer = (await ask(signed(pair))).body.token;
    expect([answer['OS-TRUST:trust'].id, answer.user.id]).toEqual([id, owner.user.id]);
    await must('DELETE', `/OS-TRUST/trusts/${id}`);
    expect((await ask(signed(pair))).status).toBe(404);
  });

  test('is for what was asked, not for the rest of what its user may do', async () => {
    const owner = await newOwner();
    const { id } = await newProject();
    await grant(owner.user.id, 'manager', `projects/${id}`);
    const token = (await ask(signed(await keysOf(owner)))).headers.get('x-subject-token') ?? '';
    expect((await validate(token)).status).toBe(200);
    for (const scope of [undefined, 'unscoped', { project: { id } }]) {
      expect((await exchange(token, scope)).status).toBe(403);
    }
    const own = `/users/${owner.user.id}`;
    for (const path of ['/auth/projects', own, `${own}/credentials/OS-EC2`, '/OS-TRUST/trusts']) {
      expect(await status('GET', path, token)).toBe(403);
    }
    const body = { application_credential: { name: 'x' } };
    expect(await status('POST', `${own}/application_credentials`, token, body)).toBe(403);
  });

  test('is not worth a trust of others, whatever its owner writes', async () => {
    const [owner, trustee, stranger] = [await newOwner(), await newUser(), await newOwner()];
    const trust = {
      trustor_user_id: owner.user.id,
      trustee_user_id: trustee.id,
      project_id: owner.projectId,
      impersonation: true,
      roles: [{ name: 'member' }],
    };
    const { id } = (await must('POST', '/OS-TRUST/trusts', { token: owner.token, body: { trust } })).body.trust;
    const pair = { access: crypto.randomUUID(), secret: 's' };
    const forged = {
      user_id: stranger.user.id,
      project_id: stranger.projectId,
      type: 'ec2',
      blob: JSON.stringify({ ...pair, trust_id: id }),
    };
    expect((await create(stranger.token, forged)).status).toBe(201);
    expect((await ask(signed(pair))).status).toBe(401);
  });

  test('of version 4 is as old as the date that is signed', async () => {
    const { access, secret } = await keysOf(await newOwner());
    const at = (nowMs: number, params: Record<string, string>) => {
      const date = new Date(nowMs).toISOString().replace(/[-:]|\.\d+/g, '');
      const scope = `${access}/${date.slice(0, 8)}/here/ec2/aws4_request`;
      const headers = { Authorization: `AWS4-HMAC-SHA256 Credential=${scope},SignedHeaders=`, 'X-Amz-Date': date };
      const request = { access, host: 'h', verb: 'POST', path: '/', params, headers, body_hash: '' };
      return { credentials: { ...request, signature: ec2Signature(secret, request) } };
    };
    const [now, longAgo] = [Date.now(), Date.now() - 3_600_000];
    expect((await ask(at(now, {}))).status).toBe(200);
    expect((await ask(at(longAgo, {}))).status).toBe(401);
    // What is posted with it is not signed.
    expect((await ask(at(longAgo, { Timestamp: new Date(now).toISOString() }))).status).toBe(401);
  });
});
