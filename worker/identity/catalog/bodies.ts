import { z } from 'zod';
import { given } from '../../http/given.ts';
import { description, extraOf, fits, longName, TOO_MUCH } from '../http/attributes.ts';
import { INTERFACES } from './catalog.ts';
import { isFillable } from './endpoint-url.ts';

const URL_CHARS_MAX = 225;
const REGION_ID_CHARS_MAX = 255;

const notEmpty = (input: object) => Object.keys(input).length > 0;
const NOTHING = 'there is nothing to change';

const service = {
  type: z.string().min(1, 'it is too short').max(255, 'it is longer than 255 characters'),
  enabled: z.boolean().optional(),
  name: longName.optional(),
};
const SERVICE = ['type', 'enabled', 'id', 'links'];

/** `service` of a POST. Name and description are kept as a client's own attributes are. */
export const serviceToCreate = z
  .looseObject(service)
  .refine(fits, TOO_MUCH)
  .transform(({ type, enabled, ...rest }) => ({ type, ...given({ enabled, extra: extraOf(rest, SERVICE) }) }));
export type ServiceToCreate = z.infer<typeof serviceToCreate>;

/** `service` of a PATCH. */
export const serviceToUpdate = z
  .looseObject({ ...service, type: service.type.optional(), id: z.string().optional() })
  .refine(notEmpty, NOTHING)
  .refine(fits, TOO_MUCH)
  .transform(({ type, enabled, id, ...rest }) => ({
    ...given({ id }),
    change: given({ type, enabled, extra: extraOf(rest, SERVICE) }),
  }));
export type ServiceToUpdate = z.infer<typeof serviceToUpdate>;

const endpoint = {
  interface: z.enum(INTERFACES),
  service_id: z.string().max(64),
  url: z
    .string()
    .max(URL_CHARS_MAX, `it is longer than ${URL_CHARS_MAX} characters`)
    .regex(/^[a-zA-Z0-9+.-]+:.+/, 'it is not a URL')
    .refine(isFillable, 'it has variables that cannot be filled in'),
  region_id: z.string().max(REGION_ID_CHARS_MAX).nullable().optional(),
  region: z.string().max(REGION_ID_CHARS_MAX).nullable().optional(),
  enabled: z.boolean().optional(),
  name: z.string().optional(),
  description: description.optional(),
};
const ENDPOINT = ['interface', 'service_id', 'url', 'region_id', 'region', 'enabled', 'id', 'links'];

/** Where an endpoint is; a region that is named in the old way is made when there is none. */
const placeOf = ({
  region_id,
  region,
}: {
  region_id?: string | null | undefined;
  region?: string | null | undefined;
}) =>
  typeof region_id === 'string' || typeof region !== 'string'
    ? { regionId: region_id, makeRegion: false }
    : { regionId: region, makeRegion: true };

/** `endpoint` of a POST. */
export const endpointToCreate = z
  .looseObject(endpoint)
  .refine(fits, TOO_MUCH)
  .transform(({ interface: kind, service_id, url, enabled, ...rest }) => {
    const { regionId, makeRegion } = placeOf(rest);
    return {
      makeRegion,
      row: {
        interface: kind,
        serviceId: service_id,
        url,
        ...given({ regionId, enabled, extra: extraOf(rest, ENDPOINT) }),
      },
    };
  });
export type EndpointToCreate = z.infer<typeof endpointToCreate>;

/** `endpoint` of a PATCH. */
export const endpointToUpdate = z
  .looseObject({
    ...endpoint,
    interface: endpoint.interface.optional(),
    service_id: endpoint.service_id.optional(),
    url: endpoint.url.optional(),
    id: z.string().optional(),
  })
  .refine(notEmpty, NOTHING)
  .refine(fits, TOO_MUCH)
  .transform(({ interface: kind, service_id, url, enabled, id, ...rest }) => {
    const { regionId, makeRegion } = placeOf(rest);
    const extra = extraOf(rest, ENDPOINT);
    return {
      ...given({ id }),
      makeRegion,
      change: given({ interface: kind, serviceId: service_id, url, enabled, regionId, extra }),
    };
  });
export type EndpointToUpdate = z.infer<typeof endpointToUpdate>;

const regionId = z.string().max(REGION_ID_CHARS_MAX, `it is longer than ${REGION_ID_CHARS_MAX} characters`);
const region = {
  id: regionId.nullable().optional(),
  description: description.optional(),
  parent_region_id: regionId.nullable().optional(),
};
const REGION = [...Object.keys(region), 'links'];

/** `region` of a POST, PUT or PATCH. */
export const regionBody = z
  .looseObject(region)
  .refine(fits, TOO_MUCH)
  .transform(({ id, description, parent_region_id, ...rest }) => ({
    ...(id ? { id } : {}),
    change: given({
      description: description === null ? '' : description,
      parentRegionId: parent_region_id,
      extra: extraOf(rest, REGION),
    }),
  }));
export type RegionBody = z.infer<typeof regionBody>;
