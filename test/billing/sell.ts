import { ensureAccount } from '../../worker/billing/accounts/default-account.ts';
import { moveMoney } from '../../worker/billing/accounts/move-money.ts';
import { updateAccount } from '../../worker/billing/accounts/update-account.ts';
import { productBody } from '../../worker/billing/bodies.ts';
import { createProduct } from '../../worker/billing/catalog/create-product.ts';
import { runBatch } from '../../worker/http/commit.ts';
import type { ComputeCloud } from '../compute-cloud.ts';
import { actorContextOf } from '../edge-context.ts';
import { HOUR } from './billing-world.ts';

/** Who sells in a cloud's region, an hour before the last full one: so that what it prices then is in force. */
export const seller = ({ region }: ComputeCloud) => ({
  ...actorContextOf('operator', ['admin']),
  region,
  clock: { nowMs: () => Math.floor(Date.now() / HOUR) * HOUR - HOUR },
});

/**
 * Puts a product on sale in a cloud, in force since the last full hour: a flat price a month unless the terms are others, so that it does
 * not depend on when in the month a test runs. @returns its id
 */
export async function sell(
  cloud: ComputeCloud,
  of: { item: string; itemType?: string; amount: string; terms?: object; more?: object },
): Promise<string> {
  const { item, itemType, amount, terms = {}, more = {} } = of;
  const effective = new Date(Math.floor(Date.now() / HOUR) * HOUR).toISOString();
  const { product } = productBody.parse({
    product: {
      name: `${item}-${crypto.randomUUID()}`,
      item,
      ...(itemType === undefined ? {} : { item_type: itemType }),
      order_unit: 'months',
      interval: 'monthly',
      currency: 'EUR',
      // Every create of a month with some time left in it costs this.
      price: { effective_from: effective, terms: { model: 'flat', amount, ...terms } },
      ...more,
    },
  });
  return (await createProduct(seller(cloud), product)).product.id;
}

/** Makes the user's account prepaid, with so much in it. @returns its id */
export async function prepay(cloud: ComputeCloud, amount?: string): Promise<string> {
  const operator = seller(cloud);
  await runBatch(cloud.ctx.db, ensureAccount(cloud.ctx, cloud.user.projectId));
  const id = `${cloud.region}.${cloud.user.projectId}`;
  await updateAccount(operator, id, { mode: 'prepaid' });
  if (amount !== undefined) await pay(cloud, amount);
  return id;
}

export async function pay(cloud: ComputeCloud, amount: string): Promise<void> {
  const movement = { amount, currency: 'EUR', reference: crypto.randomUUID(), description: '' };
  await moveMoney(seller(cloud), `${cloud.region}.${cloud.user.projectId}`, 'deposit', movement);
}
