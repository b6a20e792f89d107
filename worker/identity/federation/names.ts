import { z } from 'zod';
import { conflict, notFound } from '../../http/errors.ts';

const WORDS = { identity_provider: 'Identity Provider', mapping: 'mapping', service_provider: 'Service Provider' };
type Kind = keyof typeof WORDS;

/** An operator's word for something, as it stands in a URL. */
export const word = z
  .string()
  .min(1, 'it is too short')
  .max(64, 'it is longer than 64 characters')
  .regex(/^[^/?#\s]+$/, 'it has white space, or a character that means something in a URL');

/** 404 as Keystone words it. */
export const missing = (kind: Kind, id: string) => notFound(`Could not find ${WORDS[kind]}: ${id}.`);
export const missingProtocol = (idpId: string, id: string) =>
  notFound(`Could not find federated protocol ${id} for Identity Provider: ${idpId}.`);

/** 409 as Keystone words it. */
export const taken = (kind: Kind | 'federation_protocol' | 'federated_user', details: string) =>
  conflict(`Conflict occurred attempting to store ${kind} - ${details}.`);
export const duplicate = (kind: Kind | 'federation_protocol', id: string) => taken(kind, `Duplicate entry: ${id}`);

/** Where everything of federation is. */
export const federationUrl = (baseUrl: string, ...path: string[]): string =>
  [`${baseUrl}/identity/v3/OS-FEDERATION`, ...path.map(encodeURIComponent)].join('/');
