import { ComputeCloud } from '../../../test/compute-cloud.ts';
import { addPort } from '../../../test/edge-meter.ts';
import { castAround, describePolicy, trial } from '../../../test/edge-policy.ts';
import { metricId } from './metric-ids.ts';
import type { MetricAction } from './policy.ts';

let cloud: ComputeCloud;
let port: string;
const METER = 'network.incoming.bytes';
const at = (path: string) => `/r/${cloud.region}/metric/v1${path}`;
const get = (path: () => string) => () => ({ method: 'GET', path: at(path()) });

async function cast() {
  cloud = await ComputeCloud.open();
  const { region, ctx } = cloud;
  port = await addPort({ region, ctx, runnerId: crypto.randomUUID() }, { projectId: cloud.user.projectId });
  return castAround(cloud.user.projectId);
}

const list = { stranger: 200 };

describePolicy<MetricAction>('metric', cast, {
  'metric:types:list': trial(
    'anyone',
    200,
    get(() => '/resource_type'),
  ),
  'metric:resources:list': trial(
    'reader',
    200,
    get(() => '/resource/generic'),
    list,
  ),
  'metric:resources:show': trial(
    'reader',
    200,
    get(() => `/resource/generic/${port}`),
  ),
  'metric:metrics:list': trial(
    'reader',
    200,
    get(() => '/metric'),
    list,
  ),
  'metric:metrics:show': trial(
    'reader',
    200,
    get(() => `/metric/${metricId(port, METER)}`),
  ),
  'metric:measures:show': trial(
    'reader',
    200,
    get(() => `/metric/${metricId(port, METER)}/measures`),
  ),
  'metric:aggregates:show': trial('reader', 200, () => ({
    method: 'POST',
    path: at(`/aggregation/resource/generic/metric/${METER}`),
    body: {},
  })),
});
