import { METERS, type Meter } from '../../../shared/meters.ts';

/** Gnocchi's names of what is metered, as Ceilometer gave them where it did, and ours. */
const OURS: Readonly<Record<string, string>> = {
  instance: 'server',
  instance_network_interface: 'port',
  floating_ip: 'floating_ip',
  image: 'image',
  router: 'router',
  host: 'runner',
};

const text = (length: number) => ({ type: 'string', required: true, min_length: 0, max_length: length });
const NAMED = { display_name: text(255) };

/** What resources of a type have beside what all have. */
const ATTRIBUTES: Readonly<Record<string, Record<string, ReturnType<typeof text>>>> = {
  generic: {},
  instance: { ...NAMED, flavor_name: text(255), state: text(32) },
  instance_network_interface: NAMED,
  floating_ip: { ...NAMED, state: text(32) },
  image: { ...NAMED, state: text(32) },
  router: NAMED,
  host: { ...NAMED, state: text(32) },
};

export const TYPES = Object.keys(ATTRIBUTES);
export const attributesOf = (type: string) => ATTRIBUTES[type] ?? {};
/** Our kind behind a name; null for `generic`, which is all of them, undefined for a name that is none. */
export const kindOf = (type: string): string | null | undefined =>
  type === 'generic' ? null : Object.hasOwn(OURS, type) ? OURS[type] : undefined;
export const typeOfKind = (kind: string): string =>
  Object.entries(OURS).find(([, ours]) => ours === kind)?.[0] ?? 'generic';

/** The meters of a kind of resource. */
export const metersOf = (kind: string): Meter[] =>
  (Object.keys(METERS) as Meter[]).filter((one) => METERS[one].of === kind);
