import { and, asc, gt } from 'drizzle-orm';
import type { Database } from '../../../db/client.ts';
import { revocations } from '../../../db/schema/identity.ts';
import { Lru } from '../../../shared/lru.ts';
import type { Actor, AppContext, Context } from '../../http/context.ts';
import { permits } from '../application-credentials/permits.ts';
import { revocationKey, revocationsOf } from './revocation.ts';
import { REVOCATIONS_PAGE, type Reading, RevocationList } from './revocation-list.ts';
import { importTokenKey, openToken, sealToken, type Token } from './token.ts';

/** Tokens an isolate remembers as genuine: some 5 KiB each. */
const CHECKED_TOKENS_MAX = 4_096;

/** A genuine token with what is made of it once. */
export interface CheckedToken {
  token: Token;
  actor: Actor;
  /** The version of the revocation list that does not end it. */
  clearedAtVersion: number;
  revocationKeys: string[];
  /** The token's part of the answer to a validation, once it was asked for. */
  rendered?: string;
}

/** What an isolate knows of tokens. Nothing here belongs to a request. */
class TokenChecker {
  readonly revocations = new RevocationList();
  readonly #checked = new Lru<string, CheckedToken>(CHECKED_TOKENS_MAX);
  readonly #keyText: string;
  #key: CryptoKey | undefined;

  constructor(keyText: string) {
    this.#keyText = keyText;
  }

  /** The token as text, which needs no check when it comes back to this isolate. */
  async seal(token: Token): Promise<string> {
    const text = await sealToken(token, await this.#signingKey());
    this.#remember(text, token);
    return text;
  }

  /** The genuine token of a text, which may have expired or been revoked; undefined for any other text. */
  async open(text: string): Promise<CheckedToken | undefined> {
    const known = this.#checked.get(text);
    if (known) return known;
    const token = await openToken(text, await this.#signingKey());
    return token && this.#remember(text, token);
  }

  /** Whether the list as it is ends the token. */
  isRevoked(checked: CheckedToken): boolean {
    const { version } = this.revocations;
    if (checked.clearedAtVersion === version) return false;
    if (this.revocations.ends(checked.revocationKeys, checked.token.revocationSeq)) return true;
    checked.clearedAtVersion = version;
    return false;
  }

  #remember(text: string, token: Token): CheckedToken {
    const revocationKeys = revocationsOf(token).map(revocationKey);
    const checked = { token, actor: actorOf(token), clearedAtVersion: -1, revocationKeys };
    this.#checked.set(text, checked);
    return checked;
  }

  async #signingKey(): Promise<CryptoKey> {
    this.#key ??= await importTokenKey(this.#keyText);
    return this.#key;
  }
}

const checkers = new WeakMap<Database, TokenChecker>();

/** The checker of this isolate: one a database, which is one an isolate. */
export function tokenChecker(ctx: Context): TokenChecker {
  let checker = checkers.get(ctx.db);
  if (!checker) {
    checker = new TokenChecker(ctx.env.TOKEN_KEY);
    checkers.set(ctx.db, checker);
  }
  return checker;
}

/**
 * The token of a request, if it is good for this call: good now, and not limited to others.
 * @throws ApiError 503 as `checkToken`
 */
export async function checkTokenOf(c: AppContext): Promise<CheckedToken | undefined> {
  const text = c.req.header('x-auth-token');
  const checked = text === undefined ? undefined : await checkToken(c.get('ctx'), text);
  const delegation = checked?.token.delegation;
  const rules = delegation?.type === 'application-credential' ? delegation.accessRules : null;
  return permits(rules, { method: c.req.method, path: c.req.path }) ? checked : undefined;
}

/**
 * The token behind a text, if it is good now: genuine, not expired, not revoked. Reads nothing while the list of
 * revocations is fresh.
 * @throws ApiError 503 when the list is too old and cannot be read
 */
export async function checkToken(ctx: Context, text: string): Promise<CheckedToken | undefined> {
  const checker = tokenChecker(ctx);
  const checked = await checker.open(text);
  if (!checked || checked.token.expiresAtMs <= ctx.clock.nowMs()) return undefined;
  await freshRevocations(ctx);
  return checker.isRevoked(checked) ? undefined : checked;
}

/** What this isolate knows of revocations, made sure to be fresh. @throws ApiError 503 when it is too old and cannot be read */
export async function freshRevocations(ctx: Context): Promise<RevocationList> {
  const { revocations } = tokenChecker(ctx);
  const wait = revocations.ensureFresh(readingOf(ctx));
  if (wait) await wait;
  return revocations;
}

function readingOf(ctx: Context): Reading {
  return {
    nowMs: () => ctx.clock.nowMs(),
    read: async (afterSeq) =>
      ctx.db
        .select()
        .from(revocations)
        .where(and(gt(revocations.seq, afterSeq), gt(revocations.expiresAtMs, ctx.clock.nowMs())))
        .orderBy(asc(revocations.seq))
        .limit(REVOCATIONS_PAGE),
    waitUntil: (promise) => ctx.waitUntil(promise),
    sleep: (ms) => scheduler.wait(ms),
  };
}

function actorOf({ user, scope, roles, auditIds, issuedAtMs, expiresAtMs, delegation }: Token): Actor {
  const project = scope.type === 'project' ? scope.project : undefined;
  return {
    userId: user.id,
    userName: user.name,
    userDomainId: user.domain.id,
    userDomainName: user.domain.name,
    projectId: project?.id ?? null,
    projectName: project?.name ?? null,
    projectDomainId: project?.domain.id ?? null,
    projectDomainName: project?.domain.name ?? null,
    domainId: scope.type === 'domain' ? scope.domain.id : null,
    systemScope: scope.type === 'system',
    roles: roles.map(({ name }) => name),
    auditId: auditIds[0],
    issuedAtMs,
    expiresAtMs,
    ...(delegation ? { delegation } : {}),
  };
}
