import type { ActorContext } from '../../http/context.ts';
import { conflict, notFound } from '../../http/errors.ts';
import { authorize } from '../../http/policy.ts';
import { policy } from './policy.ts';

/** What rates here: one module, which is always on. Its prices are made under `/aerostat/v1/billing`. */
const BILLING = {
  module_id: 'billing',
  description: 'Products and prices of /aerostat/v1/billing.',
  enabled: true,
  hot_config: true,
  priority: 1,
};
export type Module = typeof BILLING;

export function listModules(ctx: ActorContext): Module[] {
  authorize(ctx, policy, 'rating:modules:list');
  return [BILLING];
}

/** @throws ApiError 404 */
export function showModule(ctx: ActorContext, id: string): Module {
  authorize(ctx, policy, 'rating:modules:list');
  if (id !== BILLING.module_id) throw notFound('Module not found.');
  return BILLING;
}

/** @throws ApiError 404; 409 always: nothing of it can be changed */
export function updateModule(ctx: ActorContext, id: string): never {
  authorize(ctx, policy, 'rating:modules:update');
  showModule(ctx, id);
  throw conflict('Module is not configurable: it is always on, and there is no other.');
}

/** As v1 writes it. */
export const moduleView1 = ({ hot_config, ...module }: Module) => ({ ...module, 'hot-config': hot_config });
