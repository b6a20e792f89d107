import { beforeAll, describe, expect, test } from 'vitest';
import { ORIGIN } from '../../../test/edge-client.ts';
import {
  grant,
  keystone,
  login,
  must,
  newDomain,
  newProject,
  newUser,
  resealed,
  type TestUser,
  tokenOf,
  validate,
} from '../../../test/edge-identity.ts';

let domain: { id: string; name: string };
let project: { id: string; name: string };
let user: TestUser;
let token: string;
beforeAll(async () => {
  domain = await newDomain();
  project = await newProject(domain.id);
  user = await newUser(domain.id);
  await grant(user.id, 'member', `projects/${project.id}`);
  token = await tokenOf(user, { project: { id: project.id } });
});
const subject = (text: string) => ({ 'x-subject-token': text });

describe('a validation', () => {
  test('says what the log-in said', async () => {
    const issued = await login(user, { project: { id: project.id } });
    const text = issued.headers.get('x-subject-token') ?? '';
    const answer = await keystone('GET', '/auth/tokens', { headers: subject(text) });
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual(issued.body);
    expect(answer.headers.get('x-subject-token')).toBe(text);
    expect(answer.headers.get('content-type')).toBe('application/json');
    expect(answer.headers.get('vary')).toBe('X-Auth-Token');
  });

  test('without the catalog', async () => {
    const answer = await validate(token);
    expect(answer.body.token).toMatchObject({ user: { id: user.id } });
    expect(answer.body.token).not.toHaveProperty('catalog');
  });

  test('by HEAD has no body', async () => {
    const answer = await keystone('HEAD', '/auth/tokens', { headers: subject(token) });
    expect([answer.status, answer.body]).toEqual([200, '']);
    expect(answer.headers.get('x-subject-token')).toBe(token);
  });

  test('of the own token needs no role', async () => {
    const unscoped = await tokenOf(user, 'unscoped');
    expect((await keystone('GET', '/auth/tokens', { token: unscoped, headers: subject(token) })).status).toBe(200);
  });

  test('needs a subject', async () => {
    const answer = await keystone('GET', '/auth/tokens');
    expect([answer.status, answer.body.error.message]).toEqual([404, 'No token in the request']);
  });

  test.each(['junk', 'a.b.c', 'x'.repeat(9000)])('of %.10s finds nothing', async (text) => {
    const answer = await validate(text);
    expect([answer.status, answer.body.error]).toEqual([
      404,
      { code: 404, title: 'Not Found', message: 'Failed to validate token' },
    ]);
  });

  test('of an expired token finds nothing', async () => {
    expect((await validate(await resealed(token, { expiresAtMs: Date.now() }))).status).toBe(404);
    expect((await validate(await resealed(token, { expiresAtMs: Date.now() + 60_000 }))).status).toBe(200);
  });

  test('many at once are all answered alike', async () => {
    const answers = await Promise.all(Array.from({ length: 60 }, () => validate(token)));
    expect(new Set(answers.map((answer) => JSON.stringify([answer.status, answer.body]))).size).toBe(1);
    expect(answers[0]?.status).toBe(200);
  });
});

describe('what a token can be used for', () => {
  test('the projects of its user', async () => {
    const second = await newProject(domain.id);
    await grant(user.id, 'reader', `projects/${second.id}`);
    const answer = await must('GET', '/auth/projects', { token: await tokenOf(user, 'unscoped') });
    expect(answer.body.projects.map((one: { id: string }) => one.id).sort()).toEqual([project.id, second.id].sort());
    expect(answer.body.links).toEqual({ next: null, self: `${ORIGIN}/identity/v3/auth/projects`, previous: null });
    const named = await must('GET', `/auth/projects?name=${second.name}`, { token });
    expect(named.body.projects.map((one: { id: string }) => one.id)).toEqual([second.id]);
  });

  test('the domains of its user', async () => {
    expect((await must('GET', '/auth/domains', { token })).body.domains).toEqual([]);
    await grant(user.id, 'reader', `domains/${domain.id}`);
    expect((await must('GET', '/auth/domains', { token })).body.domains).toMatchObject([{ id: domain.id }]);
  });

  test('the system', async () => {
    const links = { self: `${ORIGIN}/identity/v3/auth/system` };
    expect((await must('GET', '/auth/system', { token })).body).toEqual({ system: [], links });
    await grant(user.id, 'reader', 'system');
    expect((await must('GET', '/auth/system', { token })).body).toEqual({ system: [{ all: true }], links });
  });

  test('the catalog, with a project', async () => {
    const { body } = await must('GET', '/auth/catalog', { token });
    expect(body.catalog.map((entry: { name: string }) => entry.name)).toContain('keystone');
    expect(body.links).toEqual({ self: `${ORIGIN}/identity/v3/auth/catalog` });
    const unscoped = await keystone('GET', '/auth/catalog', { token: await tokenOf(user, 'unscoped') });
    expect([unscoped.status, unscoped.body.error.message]).toEqual([
      403,
      'You are not authorized to perform the requested action.',
    ]);
  });
});
