import { ComputeCloud } from '../../../test/compute-cloud.ts';
import { castAround, describePolicy, trial } from '../../../test/edge-policy.ts';
import type { IntranetAction } from './policy.ts';

let cloud: ComputeCloud;
const at = (path: string) => `/r/${cloud.region}/aerostat/v1/intranet${path}`;
const nothing = crypto.randomUUID();
let made = 0;

async function cast() {
  cloud = await ComputeCloud.open();
  return castAround(cloud.user.projectId);
}

const say = (what: string) => ({ [what]: { description: 'x' } });
const missing = (path: string, what?: string) =>
  trial('admin', 404, () => ({
    method: what ? 'PUT' : 'GET',
    path: at(`${path}/${nothing}`),
    ...(what ? { body: say(what) } : {}),
  }));

describePolicy<IntranetAction>('intranet', cast, {
  'intranet:filter:show': trial('admin', 200, () => ({ method: 'GET', path: at('') })),
  'intranet:filter:update': trial('admin', 200, () => ({
    method: 'PUT',
    path: at(''),
    body: { intranet: { dry_run: true } },
  })),
  'intranet:prefixes:list': trial('admin', 200, () => ({ method: 'GET', path: at('/prefixes') })),
  'intranet:prefixes:show': missing('/prefixes'),
  'intranet:prefixes:create': trial('admin', 201, () => ({
    method: 'POST',
    path: at('/prefixes'),
    body: { prefix: { prefix: `10.${made++}.0.0/16`, reason: 'offices' } },
  })),
  'intranet:prefixes:update': missing('/prefixes', 'prefix'),
  'intranet:prefixes:delete': trial('admin', 404, () => ({ method: 'DELETE', path: at(`/prefixes/${nothing}`) })),
  'intranet:rules:list': trial('admin', 200, () => ({ method: 'GET', path: at('/rules') })),
  'intranet:rules:show': missing('/rules'),
  // The body is looked at before who sends it; there is no such server.
  'intranet:rules:create': trial('admin', 400, () => ({
    method: 'POST',
    path: at('/rules'),
    body: { rule: { source: { type: 'server', id: nothing }, destination: '10.0.0.0/8', reason: 'x' } },
  })),
  'intranet:rules:update': missing('/rules', 'rule'),
  'intranet:rules:delete': trial('admin', 404, () => ({ method: 'DELETE', path: at(`/rules/${nothing}`) })),
  'intranet:denied:list': trial('admin', 200, () => ({ method: 'GET', path: at('/denied') })),
});
