import { z } from 'zod';
import { badRequest, unauthorized } from '../../http/errors.ts';
import { checkValue } from '../http/body.ts';
import { AUTH_METHODS, AuthMethodNotSupported, expecting } from '../http/faults.ts';
import { PASSWORD_BYTES_MAX } from '../password.ts';
import type { Federation } from './token.ts';

/** Something named by its id, or by a name that is unique. */
export type Ref = { id: string } | { name: string };
/** Something named by its id, or by a name that is unique in a domain. */
export type RefInDomain = { id: string } | { name: string; domain: Ref };

/** What a token shall be good for; `default` is the user's default project, if it can be had. */
export type ScopeRequest =
  | { type: 'project'; project: RefInDomain }
  | { type: 'domain'; domain: Ref }
  | { type: 'system' }
  | { type: 'trust'; id: string }
  | { type: 'unscoped' }
  | { type: 'default' };

/** An application credential by its id, or by its name, which is its user's own. */
export type ApplicationCredentialRef = { id: string } | { name: string; user: RefInDomain };

/** A log-in as a verb takes it: at least one of password, token, application credential and what was proven elsewhere. */
export interface AuthRequest {
  password?: { user: RefInDomain; password: string };
  /** The text of a token that is to be exchanged for one of another scope. */
  token?: string;
  applicationCredential?: { ref: ApplicationCredentialRef; secret: string };
  /** A user known by other means, which are named as the token's method. */
  proven?: { userId: string; method: string; federation?: Federation };
  scope: ScopeRequest;
}

const METHODS_MAX = 16;
/** Longer than any id or name there is. */
const NAME_CHARS_MAX = 1_024;

const text = z.string().max(NAME_CHARS_MAX);
const domain = z.object({ id: text.optional(), name: text.optional() });
const inDomain = z.object({ id: text.optional(), name: text.optional(), domain: domain.optional() });
export const authBody = z.object({
  identity: z.object({
    methods: z.array(z.string()).max(METHODS_MAX),
    password: z
      .object({ user: inDomain.extend({ password: z.string().max(PASSWORD_BYTES_MAX).optional() }).optional() })
      .optional(),
    token: z.object({ id: z.string() }).optional(),
    application_credential: z
      .object({
        id: text.optional(),
        name: text.optional(),
        user: inDomain.optional(),
        secret: z.string().max(PASSWORD_BYTES_MAX).optional(),
      })
      .optional(),
  }),
  scope: z
    .union([
      z.string(),
      z.object({
        project: inDomain.optional(),
        domain: domain.optional(),
        system: z.object({ all: z.boolean().optional() }).optional(),
        unscoped: z.unknown().optional(),
        'OS-TRUST:trust': z.object({ id: text.optional() }).optional(),
      }),
    ])
    .optional(),
});
type Auth = z.infer<typeof authBody>;

/**
 * A log-in from the body of POST /v3/auth/tokens.
 * @throws ApiError 400 (malformed), 401 (no method, or one that there is not)
 */
export function parseAuthRequest(body: Record<string, unknown>): AuthRequest {
  if (body.auth === undefined || body.auth === null) throw expecting('auth', 'request body');
  const { identity, scope } = checkValue(body.auth, authBody);
  const methods = new Set(identity.methods);
  const given = Object.keys((body.auth as Auth).identity);
  for (const method of methods) if (!given.includes(method)) throw expecting(method, 'identity');
  if ([...methods].some((method) => !AUTH_METHODS.includes(method))) throw new AuthMethodNotSupported();
  if (methods.size === 0) throw unauthorized();
  return {
    ...(methods.has('password') ? { password: passwordOf(identity.password) } : {}),
    ...(methods.has('token') && identity.token ? { token: identity.token.id } : {}),
    ...(methods.has('application_credential')
      ? { applicationCredential: applicationCredentialOf(identity.application_credential) }
      : {}),
    scope: scopeOf(scope),
  };
}

function passwordOf(password: Auth['identity']['password']): { user: RefInDomain; password: string } {
  if (!password?.user) throw expecting('user', 'password');
  return {
    user: refInDomain(password.user, 'identity/password/user', 'user'),
    password: password.user.password ?? '',
  };
}

function applicationCredentialOf(
  given: Auth['identity']['application_credential'] = {},
): NonNullable<AuthRequest['applicationCredential']> {
  const { id, name, user, secret } = given;
  if (secret === undefined) throw expecting('secret', 'application credential');
  if (id) return { ref: { id }, secret };
  if (!name) throw expecting('name or ID', 'application credential');
  if (!user) throw expecting('user', 'application credential');
  const ref = { name, user: refInDomain(user, 'identity/application_credential/user', 'user') };
  return { ref, secret };
}

function scopeOf(scope: Auth['scope']): ScopeRequest {
  if (scope === undefined) return { type: 'default' };
  if (scope === 'unscoped') return { type: 'unscoped' };
  const asked = typeof scope === 'string' ? [] : Object.values(scope).filter((one) => one !== undefined);
  if (typeof scope === 'string' || asked.length !== 1)
    throw expecting('system, project, domain, OS-TRUST:trust or unscoped', 'scope');
  if (scope.project) return { type: 'project', project: refInDomain(scope.project, 'scope/project', 'project') };
  if (scope.domain) return { type: 'domain', domain: ref(scope.domain, 'scope/domain') };
  if (scope.system) return { type: 'system' };
  if (scope.unscoped !== undefined) return { type: 'unscoped' };
  const id = scope['OS-TRUST:trust']?.id;
  if (!id) throw expecting('trust_id', 'trust');
  return { type: 'trust', id };
}

function ref(value: z.infer<typeof domain>, field: string): Ref {
  if (value.name) return { name: value.name };
  if (value.id) return { id: value.id };
  throw badRequest(`Invalid input for field ${field}: id or name must be present.`);
}

/** As in Keystone a name, where there is one, counts more than an id. */
function refInDomain(value: z.infer<typeof inDomain>, field: string, target: string): RefInDomain {
  const named = ref(value, field);
  if ('id' in named) return named;
  if (!value.domain) throw expecting('domain', target);
  return { name: named.name, domain: ref(value.domain, `${field}/domain`) };
}
