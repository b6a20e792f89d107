import { ComputeCloud } from '../../test/compute-cloud.ts';
import { call } from '../../test/edge-client.ts';
import { castAround, describePolicy, trial } from '../../test/edge-policy.ts';
import type { MeteringAction } from './policy.ts';

let cloud: ComputeCloud;
const at = (path: string, method = 'GET', body?: unknown) => ({
  ...{ method, path: `/r/${cloud.region}/aerostat/v1/metering${path}` },
  ...(body === undefined ? {} : { body }),
});
const wanted = { meter: 'cpu.time', statistic: 'rate', comparison: 'gt', threshold: 1 };
/** An alarm of the project's own, on a server of its own. */
async function made(): Promise<string> {
  const alarm = { ...wanted, resource_id: await cloud.create() };
  const { token } = cloud.user;
  const { path } = at('/alarms');
  return ((await (await call('POST', path, { token, body: { alarm } })).json()) as { alarm: { id: string } }).alarm.id;
}

/** A server of the project's that is on a machine. */
const placed = () => cloud.create();

async function cast() {
  cloud = await ComputeCloud.open();
  await cloud.addRunner();
  return castAround(cloud.user.projectId);
}

describePolicy<MeteringAction>('metering', cast, {
  'metering:refusals:list': trial('admin', 200, () => at('/refusals')),
  'metering:progress:list': trial('admin', 200, () => at('/progress')),
  'metering:prometheus:show': trial('admin', 200, () => at('/prometheus')),
  'metering:live:show': trial('reader', 200, async () => at(`/live?resource_id=${await placed()}`)),
  'metering:alarms:list': trial('reader', 200, () => at('/alarms'), { stranger: 200 }),
  'metering:alarms:show': trial('reader', 200, async () => at(`/alarms/${await made()}`)),
  'metering:alarms:create': trial(
    'member',
    201,
    async () => at('/alarms', 'POST', { alarm: { ...wanted, resource_id: await cloud.create() } }),
    // Of another project's server: there is none for them.
    { stranger: 400 },
  ),
  'metering:alarms:update': trial('member', 200, async () =>
    at(`/alarms/${await made()}`, 'PATCH', { alarm: { enabled: false } }),
  ),
  'metering:alarms:delete': trial('member', 204, async () => at(`/alarms/${await made()}`, 'DELETE')),
});
