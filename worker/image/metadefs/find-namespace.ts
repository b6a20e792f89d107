import { type SQL, sql } from 'drizzle-orm';
import { metadefNamespaces } from '../../../db/schema/metadefs.ts';
import { assertThat, type Statement } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { forbidden, notFound } from '../../http/errors.ts';
import { allows, isAdmin } from '../../http/policy.ts';
import { type ImageAction, imagePolicy } from '../policy.ts';
import type { NamespaceRow } from './rows.ts';

/** The namespaces that the actor may see: public ones and its own project's; an admin all. */
export function visibleNamespaces(ctx: ActorContext): SQL {
  const ofRegion = sql`metadef_namespaces.region = ${ctx.region}`;
  if (isAdmin(ctx)) return ofRegion;
  return sql`(${ofRegion} AND (metadef_namespaces.visibility = 'public'
    OR metadef_namespaces.project_id = ${ctx.actor.projectId}))`;
}

/** The read of a namespace by name, as far as the actor may see it. */
export function namespaceRead(ctx: ActorContext, name: string) {
  return ctx.db
    .select()
    .from(metadefNamespaces)
    .where(sql`metadef_namespaces.name = ${name} AND ${visibleNamespaces(ctx)}`);
}

/**
 * Narrows what `namespaceRead` found to what may be done to it.
 * @throws ApiError 404 not there, or not to be seen; 403
 */
export function requireNamespace(
  ctx: ActorContext,
  name: string,
  row: NamespaceRow | undefined,
  ...actions: ImageAction[]
): NamespaceRow {
  const seen = row && allows(ctx, imagePolicy.get_metadef_namespace);
  if (!seen) throw notFound(`Metadata definition namespace=${name} was not found.`);
  const refused = actions.find((action) => !allows(ctx, imagePolicy[action]));
  if (refused) throw forbidden(`You are not authorized to complete ${refused} action.`);
  return row;
}

/** A namespace that the actor may do something to. @throws ApiError 404, 403 */
export async function findNamespace(ctx: ActorContext, name: string, ...actions: ImageAction[]): Promise<NamespaceRow> {
  const [row] = await namespaceRead(ctx, name);
  return requireNamespace(ctx, name, row, ...actions);
}

/** A statement that fails its batch when the namespace is gone or has become protected. */
export function stillUnprotected(ctx: ActorContext, row: NamespaceRow): Statement {
  const condition = sql`EXISTS (SELECT 1 FROM metadef_namespaces WHERE metadef_namespaces.id = ${row.id}
    AND metadef_namespaces.protected = 0)`;
  return assertThat(ctx.db, 'namespace-unprotected', condition);
}

/** Refuses to take anything from a protected namespace. @param what - as in `object x`. @throws ApiError 403 */
export function refuseProtected(row: NamespaceRow, what: string): void {
  if (row.protected) throw forbidden(`Metadata definition ${what} is protected and cannot be deleted.`);
}
