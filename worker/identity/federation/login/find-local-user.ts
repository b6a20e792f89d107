import { and, eq } from 'drizzle-orm';
import { domains, users } from '../../../../db/schema/identity.ts';
import type { Context } from '../../../http/context.ts';
import { type Mapped, NotMapped } from '../mapping/evaluate.ts';
import type { FederationRows } from './find-federation.ts';

/** The user that is here already whom a mapping names. @throws NotMapped when there is none */
export async function findLocalUser({ db }: Context, { provider }: FederationRows, { user }: Mapped): Promise<string> {
  const { id, name, domain } = user;
  if (id === undefined && name === undefined)
    throw new NotMapped('the mapping gives the local user neither id nor name');
  const inDomain =
    domain?.name === undefined ? eq(domains.id, domain?.id ?? provider.domainId) : eq(domains.name, domain.name);
  const [found] = await db
    .select({ id: users.id })
    .from(users)
    .innerJoin(domains, eq(domains.id, users.domainId))
    .where(
      and(eq(users.federated, false), id === undefined ? and(eq(users.name, name ?? ''), inDomain) : eq(users.id, id)),
    );
  if (!found) throw new NotMapped(`there is no local user ${id ?? name}`);
  return found.id;
}
