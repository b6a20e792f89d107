import { z } from 'zod';
import { given } from '../../http/given.ts';
import { extraOf, fits, TOO_MUCH } from '../http/attributes.ts';

const BLOB_CHARS_MAX = 64 * 1024;
const ID_CHARS_MAX = 64;
const TYPE_CHARS_MAX = 255;

const attributes = {
  blob: z.string().max(BLOB_CHARS_MAX, `it is longer than ${BLOB_CHARS_MAX} characters`),
  type: z.string().max(TYPE_CHARS_MAX),
  user_id: z.string().max(ID_CHARS_MAX),
  project_id: z.string().max(ID_CHARS_MAX).nullable().optional(),
};
const KNOWN = [...Object.keys(attributes), 'id', 'links'];
/** Without the blob, which has its own limit. */
const small = ({ blob: _, ...rest }: Record<string, unknown>) => fits(rest);

/** `credential` of a POST. */
export const credentialToCreate = z
  .looseObject(attributes)
  .refine(small, TOO_MUCH)
  .transform(({ blob, type, user_id, project_id, ...rest }) => ({
    blob,
    type,
    userId: user_id,
    projectId: project_id ?? null,
    ...given({ extra: extraOf(rest, KNOWN) }),
  }))
  .refine(({ type, projectId }) => type !== 'ec2' || projectId !== null, {
    path: ['project_id'],
    message: 'a credential for EC2 has a project',
  });
export type CredentialToCreate = z.infer<typeof credentialToCreate>;

/** `credential` of a PATCH. */
export const credentialToUpdate = z
  .looseObject({
    blob: attributes.blob.optional(),
    type: attributes.type.optional(),
    user_id: attributes.user_id.optional(),
    project_id: attributes.project_id,
    id: z.string().optional(),
  })
  .refine((input) => Object.keys(input).length > 0, 'there is nothing to change')
  .refine(small, TOO_MUCH)
  .transform(({ blob, type, user_id, project_id, id, ...rest }) => ({
    ...given({ id, blob }),
    change: given({ type, userId: user_id, projectId: project_id, extra: extraOf(rest, KNOWN) }),
  }));
export type CredentialToUpdate = z.infer<typeof credentialToUpdate>;
