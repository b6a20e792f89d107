import { formatMicros, formatRational, readRational } from '../../../shared/money.ts';
import { pythonTime } from '../../http/times.ts';
import type { ReportedPurchase } from '../reports/purchases-between.ts';
import { COLLECTOR, SCOPE_KEY, type Scope } from './list-scopes.ts';
import type { Sum } from './summarize.ts';
import { nearest, unitOf } from './usage.ts';

/** A sum of v2. Its currency is told where it was asked for, and where there are several. */
const sumView = (sum: Sum, withCurrency: boolean): Record<string, unknown> => ({
  begin: pythonTime(sum.beginMs),
  end: pythonTime(sum.endMs),
  qty: nearest(sum.qty),
  rate: Number(formatMicros(sum.micros, sum.currency)),
  ...sum.values,
  ...(withCurrency ? { currency: sum.currency } : {}),
});

/** A page of a summary of v2: rows under columns, or objects. */
export function summaryView(sums: Sum[], page: { offset: number; limit: number }, format: 'table' | 'object') {
  const several = new Set(sums.map(({ currency }) => currency)).size > 1;
  const objects = sums.slice(page.offset, page.offset + page.limit).map((sum) => sumView(sum, several));
  if (format === 'object') return { total: sums.length, results: objects, format };
  const columns = Object.keys(objects[0] ?? {});
  return { total: sums.length, columns, results: objects.map((one) => Object.values(one)), format };
}

const groupbyOf = (point: ReportedPurchase) => ({ project_id: point.projectId, id: point.resourceId });
const metadataOf = (point: ReportedPurchase) => ({
  name: point.resourceName,
  item_type: point.itemType,
  flavor_name: point.item === 'server' ? point.itemType : '',
  product: point.product,
  price_id: point.priceId,
  currency: point.currency,
});

const pointView = (point: ReportedPurchase) => ({
  vol: { unit: unitOf(point), qty: nearest(readRational(point.quantity)) },
  rating: { price: Number(formatMicros(point.amountMicros, point.currency)) },
  groupby: groupbyOf(point),
  metadata: metadataOf(point),
  desc: { ...metadataOf(point), ...groupbyOf(point) },
});

const framesOf = (points: ReportedPurchase[]) => [
  ...Map.groupBy(points, ({ fromMs, throughMs }) => `${fromMs} ${throughMs}`).values(),
];
const periodOf = ([point]: ReportedPurchase[]) => ({
  begin: pythonTime(point?.fromMs ?? 0),
  end: pythonTime(point?.throughMs ?? 0),
});

/** Usage of v2 by the time that it was in. */
export const dataframeViews = (points: ReportedPurchase[]) =>
  framesOf(points).map((frame) => ({
    period: periodOf(frame),
    usage: Object.fromEntries(
      [...Map.groupBy(frame, ({ item }) => item)].map(([item, list]) => [item, list.map(pointView)]),
    ),
  }));

/** Digits of quantities in v1, where numbers are texts. */
const QUANTITY_DIGITS = 9;

/** The same in v1: a frame is of one project, and numbers are texts. */
export const storedFrameViews = (points: ReportedPurchase[]) =>
  framesOf(points)
    .flatMap((frame) => [...Map.groupBy(frame, ({ projectId, item }) => `${projectId} ${item}`).values()])
    .map((frame) => ({
      ...naive(periodOf(frame)),
      tenant_id: frame[0]?.projectId,
      resources: frame.map((point) => ({
        service: point.item,
        desc: { ...metadataOf(point), ...groupbyOf(point) },
        volume: formatRational(readRational(point.quantity), QUANTITY_DIGITS),
        rating: formatMicros(point.amountMicros, point.currency),
      })),
    }));

/** v1 says no zone: it is UTC. */
const naive = <T extends Record<string, string>>(times: T) =>
  Object.fromEntries(Object.entries(times).map(([name, text]) => [name, text.replace('+00:00', '')]));

/** A sum of v1. `ALL` stands where it is not grouped by. */
export const reportView = (sum: Sum, projectId: string | null) => ({
  ...naive({ begin: pythonTime(sum.beginMs), end: pythonTime(sum.endMs) }),
  tenant_id: sum.values.project_id ?? projectId ?? 'ALL',
  res_type: sum.values.type ?? 'ALL',
  rate: formatMicros(sum.micros, sum.currency),
  currency: sum.currency,
});

export const scopeView = ({ projectId, chargedThroughMs, active }: Scope) => ({
  scope_id: projectId,
  scope_key: SCOPE_KEY,
  fetcher: COLLECTOR,
  collector: COLLECTOR,
  state: pythonTime(chargedThroughMs),
  last_processed_timestamp: pythonTime(chargedThroughMs),
  active: active === 1,
  scope_activation_toggle_date: null,
});
