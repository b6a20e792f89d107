/** Where new identifiers come from; a simulation passes its own. */
export interface Ids {
  /** A random UUID with dashes, as Nova, Neutron and Glance use. */
  uuid(): string;
  /** The same without dashes, as Keystone uses. */
  hex(): string;
}

/** Identifiers from the platform's generator. */
export const randomIds: Ids = {
  uuid: () => crypto.randomUUID(),
  hex: () => crypto.randomUUID().replaceAll('-', ''),
};

/** A request's id as OpenStack writes it. */
export function newRequestId(ids: Ids): string {
  return `req-${ids.uuid()}`;
}
