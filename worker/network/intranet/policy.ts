import type { Policy } from '../../http/policy.ts';

export type IntranetAction =
  | 'intranet:filter:show'
  | 'intranet:filter:update'
  | 'intranet:prefixes:list'
  | 'intranet:prefixes:show'
  | 'intranet:prefixes:create'
  | 'intranet:prefixes:update'
  | 'intranet:prefixes:delete'
  | 'intranet:rules:list'
  | 'intranet:rules:show'
  | 'intranet:rules:create'
  | 'intranet:rules:update'
  | 'intranet:rules:delete'
  | 'intranet:denied:list';

/** The filter protects the operator's own networks from tenants: they neither change nor see it. */
export const policy: Policy<IntranetAction> = {
  'intranet:filter:show': 'admin',
  'intranet:filter:update': 'admin',
  'intranet:prefixes:list': 'admin',
  'intranet:prefixes:show': 'admin',
  'intranet:prefixes:create': 'admin',
  'intranet:prefixes:update': 'admin',
  'intranet:prefixes:delete': 'admin',
  'intranet:rules:list': 'admin',
  'intranet:rules:show': 'admin',
  'intranet:rules:create': 'admin',
  'intranet:rules:update': 'admin',
  'intranet:rules:delete': 'admin',
  'intranet:denied:list': 'admin',
};
