import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { freePort } from '../../home/free-port.ts';
import { loadSecrets } from '../../home/secrets.ts';
import { until } from '../../home/until.ts';
import { run } from '../../runner/host/run.ts';
import { type Cloud, startCloud } from '../cloud.ts';
import { shellBlocks } from '../readme-blocks.ts';
import { Browser, type Page } from './browser.ts';
import { OpenstackShell } from './openstack-shell.ts';

const ROOT = join(import.meta.dirname, '../..');
const THIS = 'test/conformance/single-sign-on.conformance.test.ts';
const DASHBOARD = 'http://127.0.0.1:1/auth/websso/';
/** Where keystoneauth's users of codes are sent; nothing listens there, the code is in the URL. */
const CALLBACK = 'http://127.0.0.1:1/callback';
const SECRET = 'hush: it is & secret';
const SCOPE = 'openid profile email groups';
const START_TIMEOUT_MS = 60_000;
const CLIENT_TIMEOUT_MS = 120_000;

let cloud: Cloud;
let provider: ChildProcess;
let issuer = '';
let folder = '';

beforeAll(async () => {
  cloud = await startCloud({ ssoAllow: ['127.0.0.0/8'], trustedDashboards: [DASHBOARD] });
  const port = await freePort();
  issuer = `http://127.0.0.1:${port}`;
  const redirectUris = [`${cloud.url}/identity/v3/redirect_uri`, CALLBACK].join(',');
  provider = spawn(process.execPath, [join(ROOT, 'test/oidc-provider.mjs')], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, PORT: String(port), REDIRECT_URIS: redirectUris },
  });
  const metadata = `${issuer}/.well-known/openid-configuration`;
  await until('the identity provider', START_TIMEOUT_MS, async () => (await fetch(metadata)).ok);
  folder = mkdtempSync(join(tmpdir(), 'aerostat-sso-'));
  symlinkSync(cloud.paths.stateDir, join(folder, '.aerostat'));
  const project = { name: 'web', domain_id: 'default' };
  await cloud.admin.call('identity', 'POST', '/projects', { project });
});
afterAll(async () => {
  provider?.kill();
  await cloud?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const environment = () => ({
  PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
  HOME: cloud.paths.stateDir,
  ISSUER: issuer,
  CLIENT_ID: 'cloud',
  CLIENT_SECRET: SECRET,
});

/** Commands in a shell, as the administrator. */
const shell = async (code: string, env: Record<string, string> = {}): Promise<string> => {
  const script = `. .aerostat/openrc\n${code}`;
  const options = { cwd: folder, env: { ...environment(), ...env }, timeout_ms: CLIENT_TIMEOUT_MS };
  return (await run('bash', ['-euo', 'pipefail', '-c', script], options)).stdout.trim();
};

interface Issued {
  id: string;
  user_id: string;
  project_id?: string;
}

/** `openstack token issue` by one of keystoneauth's plugins. */
async function issue(plugin: string, options: Record<string, string>, project = 'web'): Promise<Issued> {
  const scope = project ? { 'project-name': project, 'project-domain-id': 'default' } : {};
  const flags = Object.entries({
    'auth-url': `${cloud.url}/identity/v3`,
    'auth-type': plugin,
    'identity-provider': 'company',
    protocol: 'openid',
    ...options,
    ...scope,
  }).flatMap(([name, value]) => [`--os-${name}`, value]);
  const env = { PATH: environment().PATH, HOME: cloud.paths.stateDir, OS_IDENTITY_API_VERSION: '3' };
  const args = [...flags, 'token', 'issue', '-f', 'json'];
  return JSON.parse((await run('/usr/bin/openstack', args, { env, timeout_ms: CLIENT_TIMEOUT_MS })).stdout) as Issued;
}

const client = (id: string) => ({
  'client-id': id,
  'client-secret': SECRET,
  'discovery-endpoint': `${issuer}/.well-known/openid-configuration`,
  'openid-scope': SCOPE,
});

/** What the cloud says of a token. */
async function shown(token: string) {
  const headers = { 'x-auth-token': token, 'x-subject-token': token };
  const answer = await fetch(`${cloud.url}/identity/v3/auth/tokens`, { headers });
  // biome-ignore lint/suspicious/noExplicitAny: what is picked out of it is checked
  return ((await answer.json()) as { token: any }).token;
}

/** A token of the provider, got as any program would. */
async function accessToken(clientId: string, username = 'ann'): Promise<string> {
  const answer = await fetch(`${issuer}/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa(`${clientId}:${encodeURIComponent(SECRET)}`)}` },
    body: new URLSearchParams({
      grant_type: 'password',
      username,
      password: [...username].reverse().join(''),
      scope: SCOPE,
    }),
  });
  return ((await answer.json()) as { access_token: string }).access_token;
}

/** Logs in at the provider, to where it sends the browser then. */
async function logIn(browser: Browser, url: string, who: string, until?: string): Promise<Page> {
  const form = await browser.open(url);
  const consent = await browser.send(form, { login: who, password: 'any' });
  return browser.send(consent, { prompt: 'consent' }, until);
}

it('is set up as its page says', async () => {
  const blocks = shellBlocks(join(ROOT, 'docs/single-sign-on.md')).filter(({ marker }) => marker === THIS);
  expect(blocks.length).toBeGreaterThan(3);
  const said: string[] = [];
  for (const { code } of blocks) said.push(await shell(code, { OIDC_USER: 'ann', OIDC_PASSWORD: 'nna' }));
  expect(said.join('\n')).toContain('"has_client_secret":true');
  expect(said.join('\n')).toMatch(/\| project_id +\| [0-9a-f]{32}/);
  expect(said.at(-1)).toContain('"unique_id":"bob"');
  // The client of those that have signed tokens.
  const oidc = { issuer, client_id: 'cloud', client_secret: SECRET, audiences: ['signed'], scope: SCOPE };
  await cloud.admin.call('identity', 'PATCH', '/OS-FEDERATION/identity_providers/company', {
    identity_provider: { oidc },
  });
});

it("v3oidcpassword: an opaque token, and one that is signed, are somebody's", async () => {
  const seen: unknown[] = [];
  for (const id of ['cloud', 'signed']) {
    const token = await issue('v3oidcpassword', { ...client(id), username: 'ann', password: 'nna' });
    const { user, roles, project, methods } = await shown(token.id);
    seen.push(user);
    expect(user).toMatchObject({
      name: 'Ann Other',
      'OS-FEDERATION': {
        identity_provider: { id: 'company' },
        protocol: { id: 'openid' },
        groups: [{ id: expect.any(String) }],
      },
    });
    expect(user).not.toHaveProperty('password_expires_at');
    expect(roles.map((role: { name: string }) => role.name).sort()).toEqual(['member', 'reader']);
    expect(project.name).toBe('web');
    expect(methods).toEqual(['token', 'openid']);
  }
  expect(seen[0]).toEqual(seen[1]);
  const wrong = issue('v3oidcpassword', { ...client('cloud'), username: 'ann', password: 'wrong' });
  await expect(wrong).rejects.toThrow(/400/);
  // Bob is in no group that this cloud knows.
  const bob = { ...client('cloud'), username: 'bob', password: 'bob' };
  await expect(issue('v3oidcpassword', bob)).rejects.toThrow(/401/);
});

it('v3oidcaccesstoken: a token that the user has already', async () => {
  for (const id of ['cloud', 'signed']) {
    const token = await issue('v3oidcaccesstoken', { 'access-token': await accessToken(id) });
    expect((await shown(token.id)).user.name).toBe('Ann Other');
  }
  const unscoped = await issue('v3oidcaccesstoken', { 'access-token': await accessToken('cloud') }, '');
  expect(unscoped.project_id).toBeUndefined();
  const lists = async (path: string) => {
    const answer = await fetch(`${cloud.url}/identity/v3${path}`, { headers: { 'x-auth-token': unscoped.id } });
    return ((await answer.json()) as { projects: { name: string }[] }).projects.map(({ name }) => name);
  };
  for (const path of ['/auth/projects', '/OS-FEDERATION/projects']) expect(await lists(path)).toEqual(['web']);
  await expect(issue('v3oidcaccesstoken', { 'access-token': 'junk' })).rejects.toThrow(/401/);
});

it('v3oidcauthcode: a code that the provider gave in a browser', async () => {
  const query = new URLSearchParams({
    client_id: 'signed',
    response_type: 'code',
    redirect_uri: CALLBACK,
    scope: SCOPE,
  });
  const back = await logIn(new Browser(), `${issuer}/auth?${query}`, 'ann', CALLBACK);
  const code = new URL(back.url).searchParams.get('code') ?? '';
  const options = { ...client('signed'), 'redirect-uri': CALLBACK, code };
  expect((await shown((await issue('v3oidcauthcode', options)).id)).user.name).toBe('Ann Other');
  await expect(issue('v3oidcauthcode', options)).rejects.toThrow(/400/);
});

it('v3oidcclientcredentials: a program of its own', async () => {
  const rules = [
    {
      local: [{ user: { name: '{0}' } }, { group: { name: 'developers', domain: { id: 'default' } } }],
      remote: [{ type: 'OIDC-client_id' }],
    },
  ];
  await cloud.admin.call('identity', 'PUT', '/OS-FEDERATION/mappings/programs', { mapping: { rules } });
  const path = '/OS-FEDERATION/identity_providers/company/protocols/programs';
  await cloud.admin.call('identity', 'PUT', path, { protocol: { mapping_id: 'programs' } });
  const token = await issue('v3oidcclientcredentials', { ...client('signed'), protocol: 'programs' });
  expect((await shown(token.id)).user.name).toBe('signed');
});

it('a dashboard gets a token by a log-in in the browser', async () => {
  const start = (path: string) =>
    `${cloud.url}/identity/v3/auth/OS-FEDERATION/${path}?${new URLSearchParams({ origin: DASHBOARD })}`;
  for (const path of ['identity_providers/company/protocols/openid/websso', 'websso/openid']) {
    const browser = new Browser();
    const page = await logIn(browser, start(path), 'ann');
    expect(page.status).toBe(200);
    expect(page.html).toContain(`action="${DASHBOARD}" method="post"`);
    const token = /name="token" id="token" value="([^"]+)"/.exec(page.html)?.[1] ?? '';
    expect((await shown(token)).user.name).toBe('Ann Other');
    // The way back works once: the browser has forgotten what it was for, and the provider its code.
    expect(browser.cookiesFor(page.url)).toBe('');
    expect((await browser.open(page.url)).status).toBe(401);
  }
});

it('a user who was here before logs in by the provider, too', async () => {
  const token = await issue('v3oidcaccesstoken', { 'access-token': await accessToken('cloud', 'bob') }, '');
  expect((await shown(token.id)).user).toMatchObject({ name: 'bob', domain: { id: 'default' } });
});

it('who is refused at the provider is refused here', async () => {
  const path = 'identity_providers/company/protocols/openid/websso';
  const url = `${cloud.url}/identity/v3/auth/OS-FEDERATION/${path}?${new URLSearchParams({ origin: DASHBOARD })}`;
  const browser = new Browser();
  const form = await browser.open(url);
  const abort = /href="([^"]*\/abort)"/.exec(form.html)?.[1] ?? '';
  const page = await browser.open(new URL(abort, form.url).toString());
  expect([page.status, new URL(page.url).searchParams.get('error')]).toEqual([401, 'access_denied']);
});

it('the client changes and deletes all of it', async () => {
  const { adminPassword } = loadSecrets(cloud.paths.secrets);
  const admin = new OpenstackShell(cloud, { user: 'admin', password: adminPassword, project: 'admin' });
  try {
    await admin.text('mapping set --rules', [join(folder, 'rules.json')], 'programs');
    await admin.text('identity provider set --description', ['of the company'], '--disable company');
    expect(await admin.json('identity provider show company')).toMatchObject({
      id: 'company',
      description: 'of the company',
      enabled: false,
      remote_ids: [issuer],
    });
    // This version of the client ends with a fault of its own when the change has been made.
    await shell('openstack federation protocol set --identity-provider company --mapping programs openid || true');
    expect(await admin.json('federation protocol show --identity-provider company openid')).toEqual({
      id: 'openid',
      mapping: 'programs',
    });
    const urls = '--auth-url https://b.example.org/v3 --service-provider-url https://b.example.org/sp';
    await admin.text(`service provider create ${urls} b`);
    await admin.text('service provider set --disable b');
    expect(await admin.json('service provider list')).toMatchObject([{ ID: 'b', Enabled: false }]);
    await admin.text('service provider delete b');
    await admin.text('federation protocol delete --identity-provider company openid');
    await admin.text('identity provider delete company');
    await admin.text('mapping delete company programs');
    for (const what of ['service provider', 'identity provider', 'mapping'])
      expect(await admin.json(`${what} list`)).toEqual([]);
  } finally {
    admin.close();
  }
});
