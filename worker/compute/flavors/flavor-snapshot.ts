import type { FlavorSnapshot } from '../../../db/schema/compute.ts';
import type { FlavorRow } from './views.ts';

/** A flavor as a server keeps it: later edits do not change a running server. */
export const snapshotOf = (flavor: FlavorRow): FlavorSnapshot => ({
  id: flavor.id,
  name: flavor.name,
  vcpus: flavor.vcpus,
  ramMib: flavor.ramMib,
  diskGib: flavor.diskGib,
  ephemeralGib: flavor.ephemeralGib,
  swapMib: flavor.swapMib,
  extraSpecs: flavor.extraSpecs,
});
