import { ComputeCloud } from '../../test/compute-cloud.ts';
import { castAround, describePolicy, trial } from '../../test/edge-policy.ts';
import type { MeteringAction } from './policy.ts';

let cloud: ComputeCloud;
const at = (path: string) => ({ method: 'GET', path: `/r/${cloud.region}/aerostat/v1/metering${path}` });

async function cast() {
  cloud = await ComputeCloud.open();
  return castAround(cloud.user.projectId);
}

describePolicy<MeteringAction>('metering', cast, {
  'metering:refusals:list': trial('admin', 200, () => at('/refusals')),
  'metering:progress:list': trial('admin', 200, () => at('/progress')),
  'metering:prometheus:show': trial('admin', 200, () => at('/prometheus')),
});
