import { env, SELF } from 'cloudflare:test';

export const ORIGIN = 'http://edge.test';

/** Calls the worker under test as a client would. */
export function call(
  method: string,
  path: string,
  options: { token?: string; body?: unknown; headers?: Record<string, string> } = {},
): Promise<Response> {
  const { token, body, headers = {} } = options;
  return SELF.fetch(`${ORIGIN}${path}`, {
    method,
    headers: {
      ...(token ? { 'x-auth-token': token } : {}),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

/** Logs in by password, scoped to a project of the default domain. @returns the token */
export async function loginAs(user: string, password: string, project: string): Promise<string> {
  const domain = { id: 'default' };
  const identity = { methods: ['password'], password: { user: { name: user, domain, password } } };
  const response = await call('POST', '/identity/v3/auth/tokens', {
    body: { auth: { identity, scope: { project: { name: project, domain } } } },
  });
  const token = response.headers.get('x-subject-token');
  if (response.status !== 201 || !token)
    throw new Error(`login of ${user}: ${response.status} ${await response.text()}`);
  await response.body?.cancel();
  return token;
}

let admin: Promise<string> | undefined;

/** The administrator's token, scoped to project admin; one a test file. */
export function adminToken(): Promise<string> {
  admin ??= loginAs('admin', (env as unknown as { TEST_ADMIN_PASSWORD: string }).TEST_ADMIN_PASSWORD, 'admin');
  return admin;
}

async function created<T>(response: Response): Promise<T> {
  if (response.status >= 300) throw new Error(`${response.status} ${await response.text()}`);
  return (await response.json()) as T;
}

/** A project with one user of a role in it, new for the test that asks. */
export async function newTenant(
  role: 'reader' | 'member' | 'manager' | 'admin' = 'member',
): Promise<{ projectId: string; userId: string; token: string; name: string; password: string }> {
  const token = await adminToken();
  const name = `t-${crypto.randomUUID()}`;
  const password = crypto.randomUUID();
  const { project } = await created<{ project: { id: string } }>(
    await call('POST', '/identity/v3/projects', { token, body: { project: { name, domain_id: 'default' } } }),
  );
  const userId = await addUser(project.id, { name, password, role });
  return { projectId: project.id, userId, name, password, token: await loginAs(name, password, name) };
}

/** A further user with a role in a project. @returns the user's id */
export async function addUser(
  projectId: string,
  of: { name: string; password: string; role: string },
): Promise<string> {
  const token = await adminToken();
  const { user } = await created<{ user: { id: string } }>(
    await call('POST', '/identity/v3/users', {
      token,
      body: { user: { name: of.name, password: of.password, domain_id: 'default' } },
    }),
  );
  const { roles } = await created<{ roles: { id: string }[] }>(
    await call('GET', `/identity/v3/roles?name=${of.role}`, { token }),
  );
  const granted = await call('PUT', `/identity/v3/projects/${projectId}/users/${user.id}/roles/${roles[0]?.id}`, {
    token,
  });
  if (granted.status !== 204) throw new Error(`role ${of.role}: ${granted.status} ${await granted.text()}`);
  return user.id;
}
