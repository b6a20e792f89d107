import type { ActorContext } from '../../http/context.ts';
import { notFound } from '../../http/errors.ts';
import { authorize } from '../../http/policy.ts';
import { listProducts } from '../catalog/list-products.ts';
import { GROUPBY, METADATA } from './attributes.ts';
import { policy } from './policy.ts';
import { unitOf } from './usage.ts';

/** What is rated, as CloudKitty tells of a metric. */
export interface MetricInfo {
  metric_id: string;
  /** Several between commas, where products count the same item differently. */
  unit: string;
  metadata: string[];
}

/** The items that are on sale; each is a metric. */
export async function listMetricInfo(ctx: ActorContext): Promise<MetricInfo[]> {
  authorize(ctx, policy, 'rating:info:show');
  const products = (await listProducts(ctx, {})).map(({ product }) => product);
  const items = [...Map.groupBy(products, ({ item }) => item)].sort(([a], [b]) => a.localeCompare(b));
  return items.map(([item, list]) => ({
    metric_id: item,
    unit: [...new Set(list.map(unitOf))].join(', '),
    metadata: [...METADATA],
  }));
}

/** @throws ApiError 404 nothing on sale is of this item */
export async function showMetricInfo(ctx: ActorContext, name: string): Promise<MetricInfo> {
  const found = (await listMetricInfo(ctx)).find(({ metric_id }) => metric_id === name);
  if (!found) throw notFound(name.slice(0, 128));
  return found;
}

/** The same in the form of CloudKitty's configuration. */
export async function showConfig(ctx: ActorContext) {
  const metrics = await listMetricInfo(ctx);
  const config = ({ unit, metadata }: MetricInfo) => ({ unit, groupby: [...GROUPBY], metadata, mutate: 'NONE' });
  return { metrics: Object.fromEntries(metrics.map((one) => [one.metric_id, config(one)])) };
}
