import { ApiError, badRequest } from '../../http/errors.ts';
import { BadValue, type Parse } from './values.ts';

/** One attribute of a resource: when a client may send it, how it is checked, and what it is when not sent. */
export interface Attribute<T> {
  parse: Parse<T>;
  post: boolean;
  put: boolean;
  required: boolean;
  fallback: T | undefined;
}
export type Attributes = Readonly<Record<string, Attribute<unknown>>>;
type ValueOf<A> = A extends Attribute<infer T> ? T : never;
/** What a create gives its verb. */
export type Created<A extends Attributes> = { [K in keyof A]: ValueOf<A[K]> };
/** What an update gives its verb: only what was sent. */
export type Updated<A extends Attributes> = { [K in keyof A]?: ValueOf<A[K]> };

/** Must be sent with a create. */
export const required = <T>(parse: Parse<T>, options: { put?: boolean } = {}): Attribute<T> => ({
  parse,
  post: true,
  put: options.put ?? false,
  required: true,
  fallback: undefined,
});

/** Has this value where a create does not send it. */
export const optional = <T>(parse: Parse<T>, fallback: T, options: { put?: boolean } = {}): Attribute<T> => ({
  parse,
  post: true,
  put: options.put ?? true,
  required: false,
  fallback,
});

/** Undefined where it is not sent: the verb decides. */
export const unset = <T>(parse: Parse<T>, options: { put?: boolean } = {}): Attribute<T | undefined> => ({
  parse,
  post: true,
  put: options.put ?? true,
  required: false,
  fallback: undefined,
});

/** Shown, never sent. */
export const readOnly: Attribute<undefined> = {
  parse: () => undefined,
  post: false,
  put: false,
  required: false,
  fallback: undefined,
};

/** Who owns it: both names that Neutron has for it are made one before the attributes are checked. */
export const owner = { project_id: unset((value) => String(value), { put: false }), tenant_id: readOnly };

/**
 * The attributes of a create, checked, with their defaults.
 * @throws ApiError 400 unknown, read-only or missing attribute, or a value that it cannot have
 */
export function createValues<A extends Attributes>(attributes: A, sent: Record<string, unknown>): Created<A> {
  refuseUnknown(attributes, sent);
  for (const [name, attribute] of Object.entries(attributes)) {
    if (!attribute.post && name in sent) throw badRequest(`Attribute '${name}' not allowed in POST`);
    if (attribute.required && !(name in sent)) {
      throw badRequest(`Failed to parse request. Required attribute '${name}' not specified`);
    }
  }
  const values = Object.entries(attributes).map(([name, attribute]) => [
    name,
    name in sent ? checked(name, attribute, sent[name]) : attribute.fallback,
  ]);
  return Object.fromEntries(values) as Created<A>;
}

/** The attributes that an update sends, checked. @throws ApiError 400 unknown, read-only, or a value that it cannot have */
export function updateValues<A extends Attributes>(attributes: A, sent: Record<string, unknown>): Updated<A> {
  refuseUnknown(attributes, sent);
  for (const [name, attribute] of Object.entries(attributes)) {
    if (!attribute.put && name in sent) throw badRequest(`Cannot update read-only attribute ${name}`);
  }
  const values = Object.entries(attributes)
    .filter(([name]) => name in sent)
    .map(([name, attribute]) => [name, checked(name, attribute, sent[name])]);
  return Object.fromEntries(values) as Updated<A>;
}

function refuseUnknown(attributes: Attributes, sent: Record<string, unknown>): void {
  const unknown = Object.keys(sent).filter((name) => !Object.hasOwn(attributes, name));
  if (unknown.length > 0) throw badRequest(`Unrecognized attribute(s) '${unknown.join(', ').slice(0, 200)}'`);
}

function checked<T>(name: string, attribute: Attribute<T>, value: unknown): T {
  try {
    return attribute.parse(value);
  } catch (error) {
    if (error instanceof ApiError || !(error instanceof BadValue)) throw error;
    throw badRequest(`Invalid input for ${name}. Reason: ${error.message}.`);
  }
}
