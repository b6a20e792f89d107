import { z } from 'zod';
import { given } from '../../../http/given.ts';
import { word } from '../names.ts';

const ATTRIBUTE_CHARS_MAX = 64;
const attribute = z.string().max(ATTRIBUTE_CHARS_MAX).nullable().optional();

/** `protocol` of a PUT. */
export const protocolToCreate = z
  .strictObject({ mapping_id: word, remote_id_attribute: attribute })
  .transform((input) => ({ mappingId: input.mapping_id, remoteIdAttribute: input.remote_id_attribute ?? null }));
export type ProtocolToCreate = z.infer<typeof protocolToCreate>;

/** `protocol` of a PATCH: what is there is to be changed. */
export const protocolToUpdate = z
  .strictObject({ mapping_id: word.optional(), remote_id_attribute: attribute })
  .refine((input) => Object.keys(input).length > 0, 'there is nothing to change')
  .transform((input) => given({ mappingId: input.mapping_id, remoteIdAttribute: input.remote_id_attribute }));
export type ProtocolToUpdate = z.infer<typeof protocolToUpdate>;
