import { BillingWorld } from '../../../test/billing/billing-world.ts';
import { castAround, describePolicy, trial } from '../../../test/edge-policy.ts';
import type { RatingAction } from './policy.ts';

let world: BillingWorld;
const at = (path: string) => `/r/${world.region}/rating${path}`;
const TIME = 'begin=2026-01-01T00:00:00Z&end=2026-02-01T00:00:00Z';

/** A project that used something: an hour of it is charged. */
async function cast() {
  world = new BillingWorld('2026-01-10T08:30:00Z');
  await world.product();
  await world.open('2026-01-10T09:00:00Z');
  await world.farm('2026-01-10T10:00:30Z');
  return castAround(world.projectId);
}

const get = (path: () => string) => () => ({ method: 'GET', path: at(path()) });
const send = (method: string, path: string, body: () => unknown) => () => ({ method, path: at(path), body: body() });
/** Each sees the own project's. */
const own = { stranger: 200 };
/** As by CloudKitty: who may not see a project is not told that it is not there. */
const named = { stranger: 403 };

describePolicy<RatingAction>('rating', cast, {
  'rating:summary:show': trial(
    'reader',
    200,
    get(() => `/v2/summary?${TIME}`),
    own,
  ),
  'rating:dataframes:list': [
    trial(
      'reader',
      200,
      get(() => `/v2/dataframes?${TIME}`),
      { stranger: 404 },
    ),
    trial(
      'reader',
      200,
      get(() => `/v1/storage/dataframes?${TIME}&tenant_id=${world.projectId}`),
      named,
    ),
  ],
  'rating:dataframes:add': trial(
    'admin',
    409,
    send('POST', '/v2/dataframes', () => ({ dataframes: [] })),
  ),
  'rating:scopes:list': trial(
    'admin',
    200,
    get(() => '/v2/scope'),
  ),
  'rating:scopes:reset': trial(
    'admin',
    202,
    send('PUT', '/v2/scope', () => ({ scope_id: world.projectId, state: '2026-01-10T09:00:00Z' })),
  ),
  'rating:scopes:update': [
    trial(
      'admin',
      409,
      send('PATCH', '/v2/scope', () => ({ scope_id: world.projectId, active: false })),
    ),
    trial(
      'admin',
      409,
      send('POST', '/v2/scope', () => ({ scope_id: 'x' })),
    ),
  ],
  'rating:reprocesses:list': trial(
    'admin',
    200,
    get(() => '/v2/task/reprocesses'),
  ),
  'rating:reprocesses:create': trial(
    'admin',
    202,
    send('POST', '/v2/task/reprocess', () => ({
      ...{ scope_ids: [world.projectId], reason: 'r' },
      ...{ start_reprocess_time: '2026-01-10T09:00:00Z', end_reprocess_time: '2026-01-10T10:00:00Z' },
    })),
  ),
  'rating:reports:show': [
    trial(
      'reader',
      200,
      get(() => `/v1/report/summary?${TIME}&tenant_id=${world.projectId}`),
      named,
    ),
    trial(
      'reader',
      200,
      get(() => `/v1/report/total?${TIME}`),
      own,
    ),
  ],
  'rating:tenants:list': trial(
    'admin',
    200,
    get(() => '/v1/report/tenants'),
  ),
  'rating:info:show': [
    trial(
      'anyone',
      200,
      get(() => '/v1/info/metrics'),
    ),
    trial(
      'anyone',
      200,
      get(() => '/v1/info/config'),
    ),
  ],
  'rating:modules:list': trial(
    'admin',
    200,
    get(() => '/v1/rating/modules'),
  ),
  'rating:modules:update': trial(
    'admin',
    409,
    send('PUT', '/v1/rating/modules/billing', () => ({ enabled: false })),
  ),
  'rating:quotes:create': trial(
    'anyone',
    200,
    send('POST', '/v1/rating/quote', () => ({ resources: [{ service: 'server', desc: { flavor_name: 'm1' } }] })),
  ),
});
