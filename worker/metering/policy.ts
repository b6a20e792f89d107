import type { Policy } from '../http/policy.ts';

export type MeteringAction =
  | 'metering:refusals:list'
  | 'metering:progress:list'
  | 'metering:prometheus:show'
  | 'metering:live:show'
  | 'metering:alarms:list'
  | 'metering:alarms:show'
  | 'metering:alarms:create'
  | 'metering:alarms:update'
  | 'metering:alarms:delete';

/** How the metering of machines goes is the operator's; figures and alarms are of those who have what is measured. */
export const policy: Policy<MeteringAction> = {
  'metering:refusals:list': 'admin',
  'metering:progress:list': 'admin',
  'metering:prometheus:show': 'admin',
  'metering:live:show': 'project-reader',
  'metering:alarms:list': 'project-reader',
  'metering:alarms:show': 'project-reader',
  'metering:alarms:create': 'project-member',
  'metering:alarms:update': 'project-member',
  'metering:alarms:delete': 'project-member',
};
