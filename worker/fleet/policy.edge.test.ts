import { ComputeCloud } from '../../test/compute-cloud.ts';
import { castAround, describePolicy, trial } from '../../test/edge-policy.ts';
import type { FleetAction } from './policy.ts';

let cloud: ComputeCloud;
const at = (path: string) => `/r/${cloud.region}/aerostat/v1${path}`;
const onRunner =
  (method: string, path = '', body?: unknown) =>
  async () => ({ method, path: at(`/runners/${await cloud.addRunner()}${path}`), body });

async function cast() {
  cloud = await ComputeCloud.open();
  return castAround(cloud.user.projectId);
}

describePolicy<FleetAction>('fleet', cast, {
  'fleet:join-tokens:create': trial('admin', 201, () => ({
    method: 'POST',
    path: at('/join-tokens'),
    body: { join_token: {} },
  })),
  'fleet:join-tokens:list': trial('admin', 200, () => ({ method: 'GET', path: at('/join-tokens') })),
  'fleet:join-tokens:delete': trial('admin', 404, () => ({
    method: 'DELETE',
    path: at(`/join-tokens/${crypto.randomUUID()}`),
  })),
  'fleet:runners:list': trial('admin', 200, () => ({ method: 'GET', path: at('/runners') })),
  'fleet:runners:show': trial('admin', 200, onRunner('GET')),
  'fleet:runners:update': trial('admin', 200, onRunner('PATCH', '', { runner: { state: 'disabled' } })),
  // It is not connected to be asked.
  'fleet:runners:rotate': trial('admin', 409, onRunner('POST', '/rotate')),
  'fleet:runners:remove': trial('admin', 204, onRunner('DELETE', '?force=true')),
});
