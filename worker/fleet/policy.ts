import type { Policy } from '../http/policy.ts';

export type FleetAction =
  | 'fleet:join-tokens:create'
  | 'fleet:join-tokens:list'
  | 'fleet:join-tokens:delete'
  | 'fleet:runners:list'
  | 'fleet:runners:show'
  | 'fleet:runners:update'
  | 'fleet:runners:rotate'
  | 'fleet:runners:remove';

/** Machines belong to the operator: every call of a person needs the admin role. Runners prove their own key. */
export const policy: Policy<FleetAction> = {
  'fleet:join-tokens:create': 'admin',
  'fleet:join-tokens:list': 'admin',
  'fleet:join-tokens:delete': 'admin',
  'fleet:runners:list': 'admin',
  'fleet:runners:show': 'admin',
  'fleet:runners:update': 'admin',
  'fleet:runners:rotate': 'admin',
  'fleet:runners:remove': 'admin',
};
