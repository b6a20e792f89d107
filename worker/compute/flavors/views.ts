import type { flavors } from '../../../db/schema/compute.ts';
import type { Rendering } from '../http/env.ts';
import { linksOf } from '../http/links.ts';

export type FlavorRow = typeof flavors.$inferSelect;

/** A flavor in a list without details. */
export function basicFlavorView(row: FlavorRow, { version, links }: Rendering) {
  return {
    id: row.id,
    name: row.name,
    ...(version >= 55 ? { description: row.description } : {}),
    links: linksOf(links, 'flavors', row.id),
  };
}

/** A flavor in full. */
export function flavorView(row: FlavorRow, { version, links }: Rendering) {
  return {
    id: row.id,
    name: row.name,
    ram: row.ramMib,
    disk: row.diskGib,
    swap: row.swapMib || (version >= 75 ? 0 : ''),
    'OS-FLV-EXT-DATA:ephemeral': row.ephemeralGib,
    'OS-FLV-DISABLED:disabled': false,
    vcpus: row.vcpus,
    'os-flavor-access:is_public': row.isPublic,
    rxtx_factor: row.rxtxFactor,
    links: linksOf(links, 'flavors', row.id),
    ...(version >= 55 ? { description: row.description } : {}),
    ...(version >= 61 ? { extra_specs: row.extraSpecs } : {}),
  };
}
