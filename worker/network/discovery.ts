import { Hono } from 'hono';
import type { AppContext, AppEnv } from '../http/context.ts';
import { notFound } from '../http/errors.ts';
import { authenticate } from '../identity/authenticate.ts';
import { EXTENSIONS } from './extensions.ts';

/** What the API serves, in Neutron's order: one, many. */
const RESOURCES = [
  ['subnet', 'subnets'],
  ['network', 'networks'],
  ['port', 'ports'],
  ['security-group', 'security-groups'],
  ['security-group-rule', 'security-group-rules'],
  ['subnetpool', 'subnetpools'],
  ['address-scope', 'address-scopes'],
  ['address-group', 'address-groups'],
  ['rbac-policy', 'rbac-policies'],
  ['agent', 'agents'],
  ['network_ip_availability', 'network-ip-availabilities'],
  ['availability_zone', 'availability_zones'],
  ['service_provider', 'service-providers'],
  ['quota', 'quotas'],
  ['extension', 'extensions'],
] as const;

const extensionView = (extension: (typeof EXTENSIONS)[number]) => ({ ...extension, links: [] });
const root = (c: AppContext) => `${c.get('ctx').baseUrl}/networking`;

/** The version list, which needs no token; the list of resources; the list of extensions. */
export const discovery = new Hono<AppEnv>()
  .get('/', (c) =>
    c.json({
      versions: [{ id: 'v2.0', status: 'CURRENT', links: [{ rel: 'self', href: `${root(c)}/v2.0/` }] }],
    }),
  )
  .get('/v2.0', authenticate, (c) =>
    c.json({
      resources: RESOURCES.map(([name, collection]) => ({
        name,
        collection,
        links: [{ rel: 'self', href: `${root(c)}/v2.0/${collection}` }],
      })),
    }),
  )
  .get('/v2.0/extensions', authenticate, (c) => c.json({ extensions: EXTENSIONS.map(extensionView) }))
  .get('/v2.0/extensions/:alias', authenticate, (c) => {
    const alias = c.req.param('alias');
    const extension = EXTENSIONS.find((one) => one.alias === alias);
    if (!extension) throw notFound(`Extension with alias ${alias.slice(0, 64)} does not exist`, 'ExtensionNotFound');
    return c.json({ extension: extensionView(extension) });
  });
