import { SELF } from 'cloudflare:test';
import { beforeAll, describe, expect, test } from 'vitest';
import { call, ORIGIN } from './edge-client.ts';
import { type Actor, mintActor, ROLES } from './edge-tokens.ts';

/** Who tries a call: each role in the project that the call is about, and members of other projects and domains. */
export const KINDS = [...ROLES, 'stranger', 'foreigner'] as const;
export type Kind = (typeof KINDS)[number];

/** The actors of a table of trials, and two tokens that are good no more. */
export interface Cast {
  actors: Record<Kind, Actor>;
  expired: string;
  revoked: string;
}

export interface Call {
  method: string;
  path: string;
  /** Sent as JSON, or as it is where it is text. */
  body?: unknown;
  headers?: Record<string, string>;
}

/** A call of an action, and who may. */
export interface Trial {
  /** The least role in the project that may, or `anyone` who has a token. */
  least: (typeof ROLES)[number] | 'anyone';
  /** What those who may are answered. */
  status: number;
  /** Makes the call; made anew for each who may, since the doing can use it up. */
  make: () => Call | Promise<Call>;
  /** What those in the project are answered who may not. */
  refused: number;
  /** What members of other projects are answered. */
  stranger: number;
}

/**
 * A row of a service's table.
 * @param others - who is answered what, if not 403 in the project, and elsewhere 404, or 403 where it takes an admin;
 *   `stranger: 200` for lists, where each sees the own
 */
export function trial(
  least: Trial['least'],
  status: number,
  make: Trial['make'],
  others: { refused?: number; stranger?: number } = {},
): Trial {
  const elsewhere = least === 'anyone' ? status : least === 'admin' ? 403 : 404;
  return { least, status, make, refused: 403, stranger: elsewhere, ...others };
}

/** Mints the actors around a project. */
export async function castAround(projectId: string): Promise<Cast> {
  const inProject = await Promise.all(ROLES.map(async (role) => [role, await mintActor(role, projectId)] as const));
  const doomed = await mintActor('admin', projectId);
  const admin = await mintActor('admin');
  const headers = { 'x-subject-token': doomed.token };
  const { status } = await call('DELETE', '/identity/v3/auth/tokens', { token: admin.token, headers });
  if (status !== 204) throw new Error(`the revocation: ${status}`);
  return {
    actors: {
      ...(Object.fromEntries(inProject) as Record<(typeof ROLES)[number], Actor>),
      stranger: await mintActor('member'),
      foreigner: await mintActor('member', undefined, { domainId: crypto.randomUUID().replaceAll('-', '') }),
    },
    expired: (await mintActor('admin', projectId, { lifeMs: -1 })).token,
    revoked: doomed.token,
  };
}

/**
 * Tries every action of a service's policy as everyone, and with tokens that are none. The table's type says that no
 * action is without a trial.
 * @param table - by action; the calls that need it
 * @param cast - called before the first trial
 */
export function describePolicy<Action extends string>(
  service: string,
  cast: () => Promise<Cast>,
  table: Record<Action, Trial | Trial[]>,
): void {
  describe(`${service}: who may`, () => {
    let people: Cast;
    beforeAll(async () => {
      people = await cast();
    }, 60_000);
    const rows = Object.entries<Trial | Trial[]>(table).flatMap(([action, trials]) =>
      [trials].flat().map((one) => [action, one.least, one] as const),
    );
    test.each(rows)('%s: %s', async (_, __, { make, ...expected }) => {
      const { actors, expired, revoked } = people;
      // Those who may not try it first: what they were refused must still be there for those who may.
      const first = await make();
      const unknown = await statuses(first, { none: undefined, junk: 'junk', expired, revoked });
      expect(unknown).toEqual({ none: 401, junk: 401, expired: 401, revoked: 401 });
      const answers: Partial<Record<Kind, number>> = {};
      const wanted = Object.fromEntries(KINDS.map((kind) => [kind, statusFor(kind, expected)]));
      const may = KINDS.filter((kind) => wanted[kind] === expected.status);
      for (const kind of KINDS.filter((one) => !may.includes(one)))
        answers[kind] = await send(first, actors[kind].token);
      for (const [at, kind] of may.entries()) {
        answers[kind] = await send(at === 0 ? first : await make(), actors[kind].token);
      }
      expect(answers).toEqual(wanted);
    });
  });
}

function statusFor(kind: Kind, { least, status, refused, stranger }: Omit<Trial, 'make'>): number {
  if (kind === 'stranger' || kind === 'foreigner') return stranger;
  return least === 'anyone' || ROLES.indexOf(kind) >= ROLES.indexOf(least) ? status : refused;
}

async function statuses(what: Call, tokens: Record<string, string | undefined>): Promise<Record<string, number>> {
  const answers = Object.entries(tokens).map(async ([name, token]) => [name, await send(what, token)] as const);
  return Object.fromEntries(await Promise.all(answers));
}

async function send({ method, path, body, headers }: Call, token: string | undefined): Promise<number> {
  const isText = typeof body === 'string';
  const response = await SELF.fetch(`${ORIGIN}${path}`, {
    method,
    headers: {
      ...(token ? { 'x-auth-token': token } : {}),
      ...(body === undefined || isText ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: isText ? body : JSON.stringify(body) }),
  });
  await response.body?.cancel();
  return response.status;
}
