import type { Policy } from '../../http/policy.ts';

export type MetricAction =
  | 'metric:types:list'
  | 'metric:resources:list'
  | 'metric:resources:show'
  | 'metric:metrics:list'
  | 'metric:metrics:show'
  | 'metric:measures:show'
  | 'metric:aggregates:show';

/** What is measured of a project's resources is for whoever may look at them; the machines' own is for the operator. */
export const policy: Policy<MetricAction> = {
  'metric:types:list': 'authenticated',
  'metric:resources:list': 'project-reader',
  'metric:resources:show': 'project-reader',
  'metric:metrics:list': 'project-reader',
  'metric:metrics:show': 'project-reader',
  'metric:measures:show': 'project-reader',
  'metric:aggregates:show': 'project-reader',
};
