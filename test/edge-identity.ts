import { env } from 'cloudflare:test';
import { importTokenKey, openToken, sealToken } from '../worker/identity/tokens/token.ts';
import { adminToken, call } from './edge-client.ts';

const V3 = '/identity/v3';

/** An answer, read to its end. */
export interface Answer {
  status: number;
  headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: what a test picks out of an answer is what it checks
  body: any;
}

/** Calls Keystone's v3 API as the holder of a token; as the administrator when none is given, as nobody for null. */
export async function keystone(
  method: string,
  path: string,
  options: { token?: string | null; body?: unknown; headers?: Record<string, string> } = {},
): Promise<Answer> {
  const { token = await adminToken(), ...rest } = options;
  const response = await call(method, `${V3}${path}`, { ...rest, ...(token === null ? {} : { token }) });
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.includes('json') && text !== '';
  return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
}

/** The same, of which the test needs that it works. */
export async function must(...args: Parameters<typeof keystone>): Promise<Answer> {
  const answer = await keystone(...args);
  if (answer.status >= 300) throw new Error(`${args[0]} ${args[1]}: ${answer.status} ${JSON.stringify(answer.body)}`);
  return answer;
}

export const freshName = (kind: string): string => `${kind}-${crypto.randomUUID()}`;

export interface TestUser {
  id: string;
  name: string;
  password: string;
  domainId: string;
}

export async function newDomain(): Promise<{ id: string; name: string }> {
  const name = freshName('d');
  return { id: (await must('POST', '/domains', { body: { domain: { name } } })).body.domain.id, name };
}

export async function newProject(domainId = 'default', more: object = {}): Promise<{ id: string; name: string }> {
  const name = freshName('p');
  const body = { project: { name, domain_id: domainId, ...more } };
  return { id: (await must('POST', '/projects', { body })).body.project.id, name };
}

export async function newUser(domainId = 'default', more: object = {}): Promise<TestUser> {
  const name = freshName('u');
  const password = crypto.randomUUID();
  const body = { user: { name, password, domain_id: domainId, ...more } };
  return { id: (await must('POST', '/users', { body })).body.user.id, name, password, domainId };
}

/** A user without a password, which takes no time to make. */
export async function newNobody(domainId = 'default'): Promise<{ id: string }> {
  const body = { user: { name: freshName('n'), domain_id: domainId } };
  return { id: (await must('POST', '/users', { body })).body.user.id };
}

/** @returns the group's id */
export async function newGroup(domainId = 'default', members: string[] = []): Promise<string> {
  const body = { group: { name: freshName('g'), domain_id: domainId } };
  const { id } = (await must('POST', '/groups', { body })).body.group;
  for (const user of members) await must('PUT', `/groups/${id}/users/${user}`);
  return id;
}

export async function newRole(more: object = {}): Promise<{ id: string; name: string }> {
  const name = freshName('r');
  return { id: (await must('POST', '/roles', { body: { role: { name, ...more } } })).body.role.id, name };
}

let known: Promise<Record<string, string>> | undefined;
/** The id of a base role. */
export async function roleId(name: string): Promise<string> {
  known ??= must('GET', '/roles').then(({ body }) =>
    Object.fromEntries(body.roles.map((role: { id: string; name: string }) => [role.name, role.id])),
  );
  return (await known)[name] ?? name;
}

/** Grants a base role, or one given by its id, on `projects/<id>`, `domains/<id>` or `system`. */
export async function grant(userId: string, role: string, place: string): Promise<string> {
  const path = `/${place}/users/${userId}/roles/${await roleId(role)}`;
  await must('PUT', path);
  return path;
}

/** Logs in by password. */
export function login(user: { id: string; password: string }, scope?: unknown, query = ''): Promise<Answer> {
  const identity = { methods: ['password'], password: { user: { id: user.id, password: user.password } } };
  const auth = scope === undefined ? { identity } : { identity, scope };
  return keystone('POST', `/auth/tokens${query}`, { token: null, body: { auth } });
}

/** Exchanges a token for one of another scope. */
export function exchange(token: string, scope?: unknown): Promise<Answer> {
  const identity = { methods: ['token'], token: { id: token } };
  const auth = scope === undefined ? { identity } : { identity, scope };
  return keystone('POST', '/auth/tokens?nocatalog', { token: null, body: { auth } });
}

/** The token of a log-in that the test needs to work. */
export async function tokenOf(user: { id: string; password: string }, scope?: unknown): Promise<string> {
  const answer = await login(user, scope, '?nocatalog');
  const token = answer.headers.get('x-subject-token');
  if (answer.status !== 201 || !token) throw new Error(`login: ${answer.status} ${JSON.stringify(answer.body)}`);
  return token;
}

/** The same token, but of another time or of other revocations. */
export async function resealed(
  token: string,
  change: { expiresAtMs?: number; revocationSeq?: number },
): Promise<string> {
  const key = await importTokenKey((env as unknown as { TOKEN_KEY: string }).TOKEN_KEY);
  const opened = await openToken(token, key);
  if (!opened) throw new Error('not a token of this lane');
  return sealToken({ ...opened, ...change }, key);
}

/** What a validation of a token by the administrator answers. */
export const validate = (subject: string): Promise<Answer> =>
  keystone('GET', '/auth/tokens?nocatalog', { headers: { 'x-subject-token': subject } });
