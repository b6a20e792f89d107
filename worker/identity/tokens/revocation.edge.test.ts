import { scryptSync } from 'node:crypto';
import { desc, eq } from 'drizzle-orm';
import { beforeEach, describe, expect, test } from 'vitest';
import { revocations, users } from '../../../db/schema/identity.ts';
import { edgeContext } from '../../../test/edge-context.ts';
import {
  exchange,
  grant,
  keystone,
  login,
  must,
  newDomain,
  newProject,
  newRole,
  newUser,
  resealed,
  roleId,
  type TestUser,
  tokenOf,
  validate,
} from '../../../test/edge-identity.ts';
import { REVOCATIONS_FRESH_MS } from './revocation-list.ts';

let domain: { id: string; name: string };
let project: { id: string; name: string };
let user: TestUser;
let onProject: string;
let unscoped: string;
beforeEach(async () => {
  domain = await newDomain();
  project = await newProject(domain.id);
  user = await newUser(domain.id);
  await grant(user.id, 'member', `projects/${project.id}`);
  onProject = await tokenOf(user, { project: { id: project.id } });
  unscoped = await tokenOf(user, 'unscoped');
});

/** Which of the user's two tokens are still good, as others are told and as they themselves work. */
async function good(): Promise<{ project: boolean; unscoped: boolean }> {
  const one = async (token: string) => {
    const [validated, used] = [
      (await validate(token)).status,
      (await keystone('GET', '/auth/projects', { token })).status,
    ];
    expect([validated, used]).toEqual(validated === 200 ? [200, 200] : [404, 401]);
    return validated === 200;
  };
  return { project: await one(onProject), unscoped: await one(unscoped) };
}
const BOTH = { project: true, unscoped: true };
const NEITHER = { project: false, unscoped: false };
const ONLY_UNSCOPED = { project: false, unscoped: true };

describe('a token ends, in the isolate that ended it at once,', () => {
  test('by itself, and no other with it', async () => {
    const exchanged = (await exchange(unscoped, { project: { id: project.id } })).headers.get('x-subject-token') ?? '';
    const answer = await keystone('DELETE', '/auth/tokens', {
      token: unscoped,
      headers: { 'x-subject-token': unscoped },
    });
    expect([answer.status, answer.body]).toEqual([204, '']);
    expect(await good()).toEqual({ project: true, unscoped: false });
    expect((await validate(exchanged)).status).toBe(200);
    expect((await exchange(unscoped)).status).toBe(404);
    const again = await keystone('DELETE', '/auth/tokens', { headers: { 'x-subject-token': unscoped } });
    expect([again.status, again.body.error.message]).toEqual([404, 'Failed to validate token']);
  });

  test("by the user's own change of password", async () => {
    const body = { user: { original_password: user.password, password: 'another' } };
    await must('POST', `/users/${user.id}/password`, { token: null, body });
    expect(await good()).toEqual(NEITHER);
    expect((await login(user)).status).toBe(401);
    expect((await validate(await tokenOf({ ...user, password: 'another' }))).status).toBe(200);
  });

  test("by an admin's reset of the password", async () => {
    await must('PATCH', `/users/${user.id}`, { body: { user: { password: 'another' } } });
    expect(await good()).toEqual(NEITHER);
    expect((await validate(await tokenOf({ ...user, password: 'another' }))).status).toBe(200);
  });

  test('by the end of the user', async () => {
    await must('DELETE', `/users/${user.id}`);
    expect(await good()).toEqual(NEITHER);
  });

  test('by disabling the user', async () => {
    await must('PATCH', `/users/${user.id}`, { body: { user: { enabled: false } } });
    expect(await good()).toEqual(NEITHER);
    await must('PATCH', `/users/${user.id}`, { body: { user: { enabled: true } } });
    expect(await good()).toEqual(NEITHER);
    expect((await login(user)).status).toBe(201);
  });

  test('by disabling the project', async () => {
    await must('PATCH', `/projects/${project.id}`, { body: { project: { enabled: false } } });
    expect(await good()).toEqual(ONLY_UNSCOPED);
  });

  test('by the end of the project', async () => {
    await must('DELETE', `/projects/${project.id}`);
    expect(await good()).toEqual(ONLY_UNSCOPED);
  });

  test('by disabling the domain', async () => {
    await must('PATCH', `/domains/${domain.id}`, { body: { domain: { enabled: false } } });
    expect(await good()).toEqual(NEITHER);
  });

  test('by losing the role there', async () => {
    await must('DELETE', `/projects/${project.id}/users/${user.id}/roles/${await roleId('member')}`);
    expect(await good()).toEqual(ONLY_UNSCOPED);
  });

  test('by losing an inherited role', async () => {
    const path = `/OS-INHERIT/domains/${domain.id}/users/${user.id}/roles/${await roleId('reader')}/inherited_to_projects`;
    await must('PUT', path);
    await must('DELETE', path);
    expect(await good()).toEqual(NEITHER);
  });

  test('by losing a role on the domain or on the system', async () => {
    const onDomain = await grant(user.id, 'reader', `domains/${domain.id}`);
    const onSystem = await grant(user.id, 'reader', 'system');
    const domainToken = await tokenOf(user, { domain: { id: domain.id } });
    const systemToken = await tokenOf(user, { system: { all: true } });
    await must('DELETE', onDomain);
    await must('DELETE', onSystem);
    expect((await validate(domainToken)).status).toBe(404);
    expect((await validate(systemToken)).status).toBe(404);
    expect(await good()).toEqual(BOTH);
  });

  test('by the end of a role that it carries', async () => {
    const role = await newRole();
    await grant(user.id, role.id, `projects/${project.id}`);
    const carrying = await tokenOf(user, { project: { id: project.id } });
    await must('DELETE', `/roles/${role.id}`);
    expect((await validate(carrying)).status).toBe(404);
    expect(await good()).toEqual(BOTH);
  });
});

test.each([
  ['a new name', () => ({ name: crypto.randomUUID() })],
  ['a new description', () => ({ description: 'x' })],
  ['being enabled already', () => ({ enabled: true })],
])('%s ends no token', async (_, change) => {
  await must('PATCH', `/users/${user.id}`, { body: { user: change() } });
  await must('PATCH', `/projects/${project.id}`, { body: { project: change() } });
  expect(await good()).toEqual(BOTH);
});

describe('what another isolate revoked', () => {
  test('is known here within five seconds', async () => {
    expect(await good()).toEqual(BOTH);
    const nowMs = Date.now();
    const { db } = edgeContext();
    await db
      .insert(revocations)
      .values({ kind: 'user', subject: user.id, createdAtMs: nowMs, expiresAtMs: nowMs + 3_600_000 });
    const lateMs = Date.now() + REVOCATIONS_FRESH_MS;
    let [seen, late] = [BOTH, false];
    while (seen.project || seen.unscoped) {
      expect(late).toBe(false);
      await scheduler.wait(200);
      late = Date.now() >= lateMs;
      seen = await good();
    }
  });

  test('cannot be escaped by an exchange in between', async () => {
    const nowMs = Date.now();
    const { db } = edgeContext();
    await db
      .insert(revocations)
      .values({ kind: 'user', subject: user.id, createdAtMs: nowMs, expiresAtMs: nowMs + 3_600_000 });
    expect((await exchange(unscoped, { project: { id: project.id } })).status).toBeGreaterThanOrEqual(401);
  });
});

test('a token that was issued on what was read before a revocation is ended by it, whatever the clocks say', async () => {
  const [last] = await edgeContext().db.select().from(revocations).orderBy(desc(revocations.seq)).limit(1);
  await must('PATCH', `/users/${user.id}`, { body: { user: { password: 'another' } } });
  const late = await tokenOf({ ...user, password: 'another' }, 'unscoped');
  expect((await validate(late)).status).toBe(200);
  expect((await validate(await resealed(late, { revocationSeq: last?.seq ?? 0 }))).status).toBe(404);
});

test('revocations that no token can be affected by any more are cleared away', async () => {
  const { db } = edgeContext();
  const nowMs = Date.now();
  const old = { kind: 'user' as const, subject: crypto.randomUUID(), createdAtMs: 0, expiresAtMs: nowMs - 3_600_000 };
  await db.insert(revocations).values(old);
  await must('DELETE', '/auth/tokens', { headers: { 'x-subject-token': unscoped } });
  expect(await db.select().from(revocations).where(eq(revocations.subject, old.subject))).toEqual([]);
});

test('a log-in with a hash of older parameters works, and renews the hash', async () => {
  const { db } = edgeContext();
  const salt = Buffer.from('0123456789abcdef');
  const hash = scryptSync(user.password, salt, 32, { N: 4096, r: 8, p: 1 });
  const old = `scrypt$4096$8$1$${salt.toString('base64')}$${hash.toString('base64')}`;
  await db.update(users).set({ passwordHash: old }).where(eq(users.id, user.id));
  expect((await login(user)).status).toBe(201);
  const hashOf = async () => (await db.select().from(users).where(eq(users.id, user.id)))[0]?.passwordHash;
  await expect.poll(hashOf).toMatch(/^scrypt\$16384\$/);
  expect((await login(user)).status).toBe(201);
  expect(await good()).toEqual(BOTH);
});
