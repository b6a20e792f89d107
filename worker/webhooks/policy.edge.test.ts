import { ComputeCloud } from '../../test/compute-cloud.ts';
import { call } from '../../test/edge-client.ts';
import { castAround, describePolicy, trial } from '../../test/edge-policy.ts';
import type { Actor } from '../../test/edge-tokens.ts';
import { receiver } from '../../test/edge-webhooks.ts';
import type { WebhookAction } from './policy.ts';

let cloud: ComputeCloud;
const at = (path: string) => `/r/${cloud.region}/aerostat/v1/webhooks${path}`;

async function cast() {
  cloud = await ComputeCloud.open();
  return castAround(cloud.user.projectId);
}

/** An endpoint of the project, deleted first where there is one: a project has so many. */
async function endpoint({ token }: Actor = cloud.user): Promise<string> {
  const list = (await (await call('GET', at('/endpoints'), { token })).json()) as { endpoints: { id: string }[] };
  for (const { id } of list.endpoints) await call('DELETE', at(`/endpoints/${id}`), { token });
  const body = { endpoint: { url: receiver().url } };
  const made = (await (await call('POST', at('/endpoints'), { token, body })).json()) as { endpoint: { id: string } };
  return made.endpoint.id;
}

/** A delivery of it: of a test, which is told to any endpoint. */
async function delivery(): Promise<string> {
  const { token } = cloud.user;
  const id = await endpoint();
  await call('POST', at(`/endpoints/${id}/test`), { token });
  const listed = await call('GET', at(`/endpoints/${id}/deliveries`), { token });
  return ((await listed.json()) as { deliveries: { id: string }[] }).deliveries[0]?.id ?? '';
}

const since = '2026-01-01T00:00:00Z';
const on = (method: string, what: string, body?: unknown) => async () => ({
  ...{ method, path: at(`/endpoints/${await endpoint()}${what}`) },
  ...(body === undefined ? {} : { body }),
});

describePolicy<WebhookAction>('webhooks', cast, {
  'webhooks:event-types:list': [
    trial('anyone', 200, () => ({ method: 'GET', path: at('/event-types') })),
    trial('anyone', 200, () => ({ method: 'GET', path: at('/openapi.json') })),
  ],
  'webhooks:events:list': trial('member', 200, () => ({ method: 'GET', path: at('/events') }), { stranger: 200 }),
  'webhooks:endpoints:list': trial('member', 200, () => ({ method: 'GET', path: at('/endpoints') }), { stranger: 200 }),
  'webhooks:endpoints:show': trial('member', 200, on('GET', '')),
  'webhooks:endpoints:create': trial(
    'member',
    201,
    () => ({ method: 'POST', path: at('/endpoints'), body: { endpoint: { url: receiver().url } } }),
    // In a project of their own.
    { stranger: 201 },
  ),
  'webhooks:endpoints:create-regional': trial('admin', 201, () => ({
    ...{ method: 'POST', path: at('/endpoints') },
    body: { endpoint: { url: receiver().url, scope: 'region' } },
  })),
  'webhooks:endpoints:update': trial('member', 200, on('PATCH', '', { endpoint: { description: 'x' } })),
  'webhooks:endpoints:delete': trial('member', 204, on('DELETE', '')),
  'webhooks:endpoints:rotate': trial('member', 201, on('POST', '/rotate', { secret: {} })),
  'webhooks:endpoints:test': trial('member', 202, on('POST', '/test')),
  'webhooks:endpoints:replay': trial('member', 202, on('POST', '/replay', { replay: { since } })),
  'webhooks:deliveries:list': trial('member', 200, on('GET', '/deliveries')),
  'webhooks:deliveries:show': trial('member', 200, async () => ({
    method: 'GET',
    path: at(`/deliveries/${await delivery()}`),
  })),
  'webhooks:deliveries:replay': trial('member', 202, async () => ({
    method: 'POST',
    path: at(`/deliveries/${await delivery()}/replay`),
  })),
});
