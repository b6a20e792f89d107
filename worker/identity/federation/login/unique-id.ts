import { createHash } from 'node:crypto';

/** What a person is called at an identity provider, as Keystone keeps it: Python's `quote` of it. */
export const quoted = (id: string): string =>
  encodeURIComponent(id)
    .replace(/%2F/g, '/')
    .replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);

/** The id of a user who is known by an identity provider: the same again after the user was deleted, as in Keystone. */
export const federatedUserId = (domainId: string, uniqueId: string): string =>
  createHash('sha256').update(`${domainId}user${uniqueId}`).digest('hex');
