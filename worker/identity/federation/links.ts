import { asc, eq, type SQL, sql } from 'drizzle-orm';
import { z } from 'zod';
import type { Database } from '../../../db/client.ts';
import { federatedUsers } from '../../../db/schema/federation.ts';
import { AssertionFailed, assertThat, ConstraintFailed, type Statement } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { badRequest } from '../../http/errors.ts';
import { forbiddenAction } from '../http/forbidden-action.ts';
import { missing, missingProtocol, taken, word } from './names.ts';

const PROVIDERS_MAX = 16;
const PROTOCOLS_MAX = 16;
const ID_CHARS_MAX = 255;

/** Who a user is at an identity provider. */
export interface Link {
  idpId: string;
  protocolId: string;
  uniqueId: string;
}

/** `federated` of a user. */
export const federated = z
  .array(
    z.strictObject({
      idp_id: word,
      protocols: z
        .array(z.strictObject({ protocol_id: word, unique_id: z.string().min(1, 'it is too short').max(ID_CHARS_MAX) }))
        .max(PROTOCOLS_MAX),
    }),
  )
  .max(PROVIDERS_MAX)
  .transform((all): Link[] =>
    all.flatMap(({ idp_id, protocols }) =>
      protocols.map(({ protocol_id, unique_id }) => ({ idpId: idp_id, protocolId: protocol_id, uniqueId: unique_id })),
    ),
  );

/**
 * The statements that let a user log in by identity providers as these, and as no others. Who is not an administrator may
 * name only those of the user's own domain: a stranger's account there would otherwise lead to a user of the manager's.
 */
export function linkStatements(ctx: ActorContext, user: { id: string; domainId: string }, links: Link[]): Statement[] {
  const { db } = ctx;
  const admin = ctx.actor.roles.includes('admin');
  const provider = (idpId: string, more: SQL = sql``) =>
    sql`EXISTS (SELECT 1 FROM identity_providers WHERE id = ${idpId} ${more})`;
  return [
    db.delete(federatedUsers).where(eq(federatedUsers.userId, user.id)),
    ...links.flatMap((link) => [
      assertThat(db, nameOf('provider', link), provider(link.idpId)),
      assertThat(
        db,
        nameOf('domain', link),
        admin ? sql`1` : provider(link.idpId, sql`AND domain_id = ${user.domainId}`),
      ),
      assertThat(
        db,
        nameOf('protocol', link),
        sql`EXISTS (SELECT 1 FROM federation_protocols WHERE idp_id = ${link.idpId} AND id = ${link.protocolId})`,
      ),
      db.insert(federatedUsers).values({ ...link, userId: user.id }),
    ]),
  ];
}

const nameOf = (what: string, { idpId, protocolId }: Link): string => `federated-${what}/${idpId}/${protocolId}`;

/** What a failed batch with `linkStatements` means to who asked; any other error as it is. */
export function linkFault(error: unknown): unknown {
  if (error instanceof ConstraintFailed && error.constraint.startsWith('federated_users'))
    return taken('federated_user', 'Duplicate entry: the identity is that of another user');
  if (!(error instanceof AssertionFailed)) return error;
  const [what, idpId = '', protocolId = ''] = error.assertion.split('/');
  if (what === 'federated-provider') return badRequest(missing('identity_provider', idpId).message);
  if (what === 'federated-protocol') return badRequest(missingProtocol(idpId, protocolId).message);
  if (what === 'federated-domain') return forbiddenAction();
  return error;
}

/** Who a user is at identity providers. */
export const linksOf = ({ db }: { db: Database }, userId: string): Promise<Link[]> =>
  db
    .select({
      idpId: federatedUsers.idpId,
      protocolId: federatedUsers.protocolId,
      uniqueId: federatedUsers.uniqueId,
    })
    .from(federatedUsers)
    .where(eq(federatedUsers.userId, userId))
    .orderBy(asc(federatedUsers.idpId), asc(federatedUsers.protocolId));

/** The same as the API shows it, under a user; nothing for who is only here. */
export function linksView(links: readonly Link[]) {
  if (links.length === 0) return {};
  const idps = [...new Set(links.map(({ idpId }) => idpId))];
  return {
    federated: idps.map((idp_id) => ({
      idp_id,
      protocols: links
        .filter(({ idpId }) => idpId === idp_id)
        .map(({ protocolId, uniqueId }) => ({ protocol_id: protocolId, unique_id: uniqueId })),
    })),
  };
}

/** The condition on `users` of `idp_id`, `protocol_id` and `unique_id` in a query, if one is there. */
export function linkFilter(query: URLSearchParams): SQL | undefined {
  const wanted = ['idp_id', 'protocol_id', 'unique_id'].filter((name) => query.has(name));
  if (wanted.length === 0) return undefined;
  const conditions = wanted.map((name) => sql`${sql.identifier(name)} = ${query.get(name)}`);
  return sql`users.id IN (SELECT user_id FROM federated_users WHERE ${sql.join(conditions, sql` AND `)})`;
}
