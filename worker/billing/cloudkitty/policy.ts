import type { Policy } from '../../http/policy.ts';

export type RatingAction =
  | 'rating:summary:show'
  | 'rating:dataframes:list'
  | 'rating:dataframes:add'
  | 'rating:scopes:list'
  | 'rating:scopes:reset'
  | 'rating:scopes:update'
  | 'rating:reprocesses:list'
  | 'rating:reprocesses:create'
  | 'rating:reports:show'
  | 'rating:tenants:list'
  | 'rating:info:show'
  | 'rating:modules:list'
  | 'rating:modules:update'
  | 'rating:quotes:create';

/** As CloudKitty's own defaults. What everybody may ask is what is on sale. */
export const policy: Policy<RatingAction> = {
  'rating:summary:show': 'project-reader',
  'rating:dataframes:list': 'project-reader',
  'rating:dataframes:add': 'admin',
  'rating:scopes:list': 'admin',
  'rating:scopes:reset': 'admin',
  'rating:scopes:update': 'admin',
  'rating:reprocesses:list': 'admin',
  'rating:reprocesses:create': 'admin',
  'rating:reports:show': 'project-reader',
  'rating:tenants:list': 'admin',
  'rating:info:show': 'authenticated',
  'rating:modules:list': 'admin',
  'rating:modules:update': 'admin',
  'rating:quotes:create': 'authenticated',
};
