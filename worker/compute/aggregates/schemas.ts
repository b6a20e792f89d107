import { z } from 'zod';
import { isMetadataKey, NAME_CHARS_MAX, name, uuid } from '../http/parameters.ts';

/** A zone's name: a colon would end it in `zone:host`. */
const zone = name.and(z.string().regex(/^[^:]*$/));
/** Images that one request may have cached. */
const CACHED_IMAGES_MAX = 100;
const host = z.string().min(1).max(NAME_CHARS_MAX);

export const createAggregateBody = z.strictObject({
  aggregate: z.strictObject({ name, availability_zone: zone.nullable().optional() }),
});
export const updateAggregateBody = z.strictObject({
  aggregate: z
    .strictObject({ name: name.optional(), availability_zone: zone.nullable().optional() })
    .refine((aggregate) => Object.keys(aggregate).length > 0, { error: '{} does not have enough properties' }),
});
export const addHostBody = z.strictObject({ add_host: z.strictObject({ host }) });
export const removeHostBody = z.strictObject({ remove_host: z.strictObject({ host }) });
export const setMetadataBody = z.strictObject({
  set_metadata: z.strictObject({
    metadata: z.record(z.string().refine(isMetadataKey), z.string().max(255).nullable()),
  }),
});
export const cacheImagesBody = z.strictObject({
  cache: z
    .array(z.strictObject({ id: uuid }))
    .min(1)
    .max(CACHED_IMAGES_MAX),
});
