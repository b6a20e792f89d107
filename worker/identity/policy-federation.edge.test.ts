import { beforeAll } from 'vitest';
import { freshName, must } from '../../test/edge-identity.ts';
import { describeRows, type Row, SYSTEM } from '../../test/edge-identity-policy.ts';

const RULES = [{ local: [{ user: { name: '{0}' } }], remote: [{ type: 'OIDC-sub' }] }];
beforeAll(async () => {
  await must('PUT', '/OS-FEDERATION/mappings/policies', { body: { mapping: { rules: RULES } } });
});

/** What single sign-on consists of: its path, and the body that makes one. */
const FEDERATION: [what: string, path: () => string | Promise<string>, body: object][] = [
  ['identity_provider', () => '/OS-FEDERATION/identity_providers', { identity_provider: { domain_id: 'default' } }],
  ['mapping', () => '/OS-FEDERATION/mappings', { mapping: { rules: RULES } }],
  [
    'protocol',
    async () => `${await made('identity_provider')}/protocols`,
    { protocol: { mapping_id: 'policies', remote_id_attribute: 'x' } },
  ],
  [
    'service_provider',
    () => '/OS-FEDERATION/service_providers',
    { service_provider: { auth_url: 'https://a.b', sp_url: 'https://a.b' } },
  ],
];

/** A new one of them. @returns its path */
async function made(what: string): Promise<string> {
  const [, path, body] = FEDERATION.find(([name]) => name === what) ?? [];
  const url = `${await path?.()}/${freshName('f')}`;
  await must('PUT', url, { body });
  return url;
}

const ROWS = FEDERATION.flatMap(([what, path, body]): Row[] => [
  ['GET', `${what}s`, async () => ({ path: await path() }), 200, SYSTEM],
  ['GET', `a ${what}`, async () => ({ path: await made(what) }), 200, SYSTEM],
  ['GET', `a ${what} that is not`, async () => ({ path: `${await path()}/none` }), 404, SYSTEM],
  ['PUT', `a ${what}`, async () => ({ path: `${await path()}/${freshName('f')}`, body }), 201, []],
  ['PATCH', `a ${what}`, async () => ({ path: await made(what), body: changeOf(body) }), 200, []],
  ['DELETE', `a ${what}`, async () => ({ path: await made(what) }), 204, []],
]);

/** The same body, without what cannot be changed. */
function changeOf(body: object): object {
  return { identity_provider: { enabled: true }, ...('identity_provider' in body ? {} : body) };
}

describeRows(ROWS, (action) => /_(identity_provider|protocol|mapping|service_provider)s?$/.test(action));
