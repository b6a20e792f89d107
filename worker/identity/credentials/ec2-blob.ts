import { createHash } from 'node:crypto';
import { z } from 'zod';
import { badRequest } from '../../http/errors.ts';
import { expecting } from '../http/faults.ts';

/** What is kept of a key pair for EC2 or S3. */
const ec2Blob = z.looseObject({
  access: z.string(),
  secret: z.string().optional(),
  /** By what the token that made it held its rights: so will the tokens had by it. */
  trust_id: z.string().nullable().optional(),
  app_cred_id: z.string().nullable().optional(),
});
export type Ec2Blob = z.infer<typeof ec2Blob>;

export const EC2 = 'ec2';

/** @throws ApiError 400 */
export function parseEc2Blob(text: string): Ec2Blob {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw badRequest('Invalid blob in credential');
  }
  if (typeof json !== 'object' || json === null) throw expecting('blob', 'credential');
  const parsed = ec2Blob.safeParse(json);
  if (!parsed.success) throw expecting('access', 'credential');
  return parsed.data;
}

/** The id under which a key pair is kept: what its access key hashes to. */
export const ec2Id = (access: string): string => createHash('sha256').update(access).digest('hex');
