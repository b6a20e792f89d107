import { conflict, forbidden, notFound } from '../../http/errors.ts';

/** The domain that is meant where none is named. */
export const DEFAULT_DOMAIN = 'default';

type Kind =
  | 'domain'
  | 'project'
  | 'user'
  | 'group'
  | 'role'
  | 'service'
  | 'endpoint'
  | 'region'
  | 'Endpoint Group'
  | 'policy'
  | 'credential'
  | 'trust'
  | 'Application Credential'
  | 'application_credential'
  | 'Access Rule'
  | 'consumer'
  | 'registered_limit'
  | 'limit';

/** 404 as Keystone words it. */
export const missing = (kind: Kind, id: string) => notFound(`Could not find ${kind}: ${id}.`);

/** 409 as Keystone words it. */
export const taken = (kind: Kind, details: string) =>
  conflict(`Conflict occurred attempting to store ${kind} - ${details}.`);

/** The options of a resource that refuses all changes but the one that lifts this. */
interface Protected {
  id: string;
  options: Record<string, unknown>;
}

/** @throws ApiError 403 for a change of an immutable resource, unless it makes it mutable and nothing else */
export function requireMutable(
  kind: Kind,
  resource: Protected,
  change?: { options?: Record<string, unknown> | undefined },
): void {
  if (resource.options.immutable !== true) return;
  if (change && Object.keys(change).length === 1 && change.options && 'immutable' in change.options) {
    if (change.options.immutable !== true) return;
  }
  throw forbidden(
    `Unable to ${change ? 'update' : 'delete'} immutable ${kind} resource: \`${resource.id}. ` +
      'Set resource option "immutable" to false first.',
  );
}
