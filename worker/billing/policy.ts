import type { Policy } from '../http/policy.ts';

export type BillingAction =
  | 'billing:products:list'
  | 'billing:products:show'
  | 'billing:products:create'
  | 'billing:products:retire'
  | 'billing:prices:create'
  | 'billing:subscriptions:list'
  | 'billing:subscriptions:create'
  | 'billing:subscriptions:end'
  | 'billing:accounts:list'
  | 'billing:accounts:show'
  | 'billing:accounts:update'
  | 'billing:accounts:link'
  | 'billing:accounts:deposit'
  | 'billing:accounts:withdraw'
  | 'billing:accounts:credit'
  | 'billing:defaults:show'
  | 'billing:defaults:set'
  | 'billing:transfers:list'
  | 'billing:vouchers:list'
  | 'billing:vouchers:create'
  | 'billing:budgets:list'
  | 'billing:budgets:create'
  | 'billing:budgets:delete'
  | 'billing:invoices:list'
  | 'billing:invoices:show'
  | 'billing:invoices:rerate'
  | 'billing:purchases:list'
  | 'billing:purchases:show'
  | 'billing:reports:show'
  | 'billing:quotes:create';

/** What things cost is for everybody to see; what was spent, for those who are in the project; money moves by operators. */
export const policy: Policy<BillingAction> = {
  'billing:products:list': 'authenticated',
  'billing:products:show': 'authenticated',
  'billing:products:create': 'admin',
  'billing:products:retire': 'admin',
  'billing:prices:create': 'admin',
  'billing:subscriptions:list': 'project-reader',
  // Who could end a subscription could use without paying.
  'billing:subscriptions:create': 'admin',
  'billing:subscriptions:end': 'admin',
  'billing:accounts:list': 'admin',
  'billing:accounts:show': 'project-reader',
  'billing:accounts:update': 'admin',
  'billing:accounts:link': 'admin',
  'billing:accounts:deposit': 'admin',
  'billing:accounts:withdraw': 'admin',
  'billing:accounts:credit': 'admin',
  'billing:defaults:show': 'admin',
  'billing:defaults:set': 'admin',
  'billing:transfers:list': 'project-reader',
  'billing:vouchers:list': 'project-reader',
  'billing:vouchers:create': 'admin',
  'billing:budgets:list': 'project-reader',
  'billing:budgets:create': 'project-manager',
  'billing:budgets:delete': 'project-manager',
  'billing:invoices:list': 'project-reader',
  'billing:invoices:show': 'project-reader',
  'billing:invoices:rerate': 'admin',
  'billing:purchases:list': 'project-reader',
  'billing:purchases:show': 'project-reader',
  'billing:reports:show': 'project-reader',
  'billing:quotes:create': 'project-reader',
};
