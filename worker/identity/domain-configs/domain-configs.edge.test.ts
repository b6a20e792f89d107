import { eq } from 'drizzle-orm';
import { expect, test } from 'vitest';
import { domainConfigs } from '../../../db/schema/catalog.ts';
import { edgeContext } from '../../../test/edge-context.ts';
import { keystone, must, newDomain } from '../../../test/edge-identity.ts';

const CONFIG = { identity: { driver: 'ldap' }, ldap: { url: 'ldap://x', user_tree_dn: 'ou=Users' } };

async function withConfig(config: object = CONFIG): Promise<string> {
  const path = `/domains/${(await newDomain()).id}/config`;
  await must('PUT', path, { body: { config } });
  return path;
}
const patch = (path: string, config: object) => keystone('PATCH', path, { body: { config } });
const status = async (...args: Parameters<typeof keystone>) => (await keystone(...args)).status;

test('a configuration is put, read in whole and in part, and taken away', async () => {
  const domain = await newDomain();
  const path = `/domains/${domain.id}/config`;
  const none = await keystone('GET', path);
  expect([none.status, none.body.error.message]).toEqual([
    404,
    `Could not find any options in domain configuration for domain ${domain.id}.`,
  ]);
  const made = await keystone('PUT', path, { body: { config: CONFIG } });
  expect([made.status, made.body]).toEqual([201, { config: CONFIG }]);
  expect(await status('PUT', path, { body: { config: CONFIG } })).toBe(200);
  expect((await must('GET', path)).body.config).toEqual(CONFIG);
  expect((await must('GET', `${path}/ldap`)).body.config).toEqual({ ldap: CONFIG.ldap });
  expect((await must('GET', `${path}/ldap/url`)).body.config).toEqual({ url: 'ldap://x' });
  expect(await status('GET', `${path}/ldap/suffix`)).toBe(404);
  await must('DELETE', `${path}/ldap/url`);
  expect((await must('GET', `${path}/ldap`)).body.config).toEqual({ ldap: { user_tree_dn: 'ou=Users' } });
  await must('DELETE', `${path}/ldap/user_tree_dn`);
  expect(await status('GET', `${path}/ldap`)).toBe(404);
  expect(await status('DELETE', `${path}/ldap`)).toBe(404);
  await must('DELETE', path);
  expect(await status('GET', path)).toBe(404);
  expect(await status('PUT', '/domains/nowhere/config', { body: { config: CONFIG } })).toBe(404);
});

test('options are changed, all, a group of them or one', async () => {
  const path = await withConfig();
  expect((await patch(path, { ldap: { url: 'ldap://y' } })).body.config).toEqual({
    ...CONFIG,
    ldap: { ...CONFIG.ldap, url: 'ldap://y' },
  });
  const group = await patch(`${path}/identity`, { identity: { driver: 'sql', list_limit: 5 } });
  expect(group.body.config.identity).toEqual({ driver: 'sql', list_limit: 5 });
  expect((await patch(`${path}/identity/driver`, { driver: 'x' })).body.config.identity.driver).toBe('x');
  expect((await patch(`${path}/identity/driver`, { identity: { driver: 'y' } })).body.config.identity.driver).toBe('y');
  for (const [at, config] of [
    ['/identity', { ldap: { url: 'x' } }],
    ['/identity/driver', { list_limit: 1 }],
    ['', { nothing: { x: 1 } }],
    ['', { ldap: { nothing: 1 } }],
    ['', { ldap: {} }],
    ['', {}],
  ] as [string, object][]) {
    expect((await patch(`${path}${at}`, config)).status).toBe(403);
  }
  expect((await patch(`${path}/ldap/suffix`, { suffix: 'x' })).status).toBe(404);
});

test('a password is kept sealed, and never shown', async () => {
  const path = await withConfig({ ldap: { url: 'ldap://x', password: 'hush-hush' } });
  expect((await must('GET', path)).body.config).toEqual({ ldap: { url: 'ldap://x' } });
  expect(await status('GET', `${path}/ldap/password`)).toBe(404);
  const { db } = edgeContext();
  const id = path.split('/')[2] ?? '';
  const [row] = await db.select().from(domainConfigs).where(eq(domainConfigs.domainId, id));
  expect(row?.sealed).toBeDefined();
  expect(JSON.stringify(row)).not.toContain('hush');
});

test('what holds by default can be read', async () => {
  const { config } = (await must('GET', '/domains/config/default')).body;
  expect(Object.keys(config)).toEqual(['identity', 'ldap']);
  expect((await must('GET', '/domains/config/identity/default')).body.config).toEqual({ identity: config.identity });
  expect((await must('GET', '/domains/config/ldap/url/default')).body.config).toEqual({ url: 'ldap://localhost' });
  expect(await status('GET', '/domains/config/none/default')).toBe(403);
  expect(await status('GET', '/domains/config/ldap/none/default')).toBe(403);
});

test.each(['constructor', '__proto__', 'toString'])('what every object has is no group or option: %s', async (name) => {
  const path = await withConfig();
  for (const at of [`/${name}`, `/${name}/${name}`, `/ldap/${name}`]) {
    expect(await status('GET', `${path}${at}`)).toBe(403);
    expect(await status('DELETE', `${path}${at}`)).toBe(403);
    expect((await patch(`${path}${at}`, { [name]: { [name]: 'x' } })).status).toBe(403);
  }
  expect((await patch(path, JSON.parse(`{"ldap": {"${name}": "x"}}`))).status).toBe(403);
  expect((await must('GET', path)).body.config).toEqual(CONFIG);
});
