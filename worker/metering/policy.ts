import type { Policy } from '../http/policy.ts';

export type MeteringAction = 'metering:refusals:list' | 'metering:progress:list' | 'metering:prometheus:show';

/** How the metering of machines goes is the operator's. */
export const policy: Policy<MeteringAction> = {
  'metering:refusals:list': 'admin',
  'metering:progress:list': 'admin',
  'metering:prometheus:show': 'admin',
};
