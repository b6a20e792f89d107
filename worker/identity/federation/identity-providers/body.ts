import { z } from 'zod';
import { given } from '../../../http/given.ts';
import { description, id } from '../../http/attributes.ts';
import { oidcBody } from '../oidc/settings.ts';

const REMOTE_IDS_MAX = 64;
const REMOTE_ID_CHARS_MAX = 255;

const attributes = {
  enabled: z.boolean().optional(),
  description: description.optional(),
  authorization_ttl: z.int().min(0).nullable().optional(),
  remote_ids: z
    .array(z.string().min(1, 'it is too short').max(REMOTE_ID_CHARS_MAX))
    .max(REMOTE_IDS_MAX)
    .refine((all) => new Set(all).size === all.length, 'a remote id stands there twice')
    .nullable()
    .optional(),
  oidc: oidcBody.nullable().optional(),
};

/** `identity_provider` of a PUT. */
export const providerToCreate = z
  .strictObject({ ...attributes, domain_id: id.nullable().optional() })
  .transform(({ enabled, description, authorization_ttl, remote_ids, oidc, domain_id }) => ({
    ...given({ enabled, description, authorizationTtl: authorization_ttl }),
    remoteIds: remote_ids ?? [],
    oidc: oidc ?? null,
    domainId: domain_id ?? null,
  }));
export type ProviderToCreate = z.infer<typeof providerToCreate>;

/** `identity_provider` of a PATCH: what is there is to be changed. */
export const providerToUpdate = z
  .strictObject(attributes)
  .refine((input) => Object.keys(input).length > 0, 'there is nothing to change')
  .transform(({ enabled, description, authorization_ttl, remote_ids, oidc }) => ({
    change: given({ enabled, description, authorizationTtl: authorization_ttl }),
    ...given({ remoteIds: remote_ids === null ? [] : remote_ids, oidc }),
  }));
export type ProviderToUpdate = z.infer<typeof providerToUpdate>;
