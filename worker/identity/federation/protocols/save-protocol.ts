import { type SQL, sql } from 'drizzle-orm';
import { federationProtocols } from '../../../../db/schema/federation.ts';
import { AssertionFailed, assertThat, ConstraintFailed, commit } from '../../../http/commit.ts';
import type { ActorContext } from '../../../http/context.ts';
import { badRequest } from '../../../http/errors.ts';
import { authorize } from '../../policy.ts';
import { duplicate, missing, missingProtocol } from '../names.ts';
import type { ProtocolToCreate, ProtocolToUpdate } from './body.ts';
import { type ProtocolRow, protocolIs } from './find-protocol.ts';

const mappingExists = (id: string): SQL => sql`EXISTS (SELECT 1 FROM federation_mappings WHERE id = ${id})`;

/** @throws ApiError 400 (no such mapping), 403, 404 (no such identity provider), 409 */
export async function createProtocol(
  ctx: ActorContext,
  { idpId, id, ...input }: { idpId: string; id: string } & ProtocolToCreate,
): Promise<ProtocolRow> {
  authorize(ctx, 'identity:create_protocol');
  const insert = ctx.db
    .insert(federationProtocols)
    .values({ idpId, id, ...input })
    .returning();
  const [, , rows] = await save(ctx, 'create', { idpId, id, mappingId: input.mappingId }, [
    assertThat(ctx.db, 'provider', sql`EXISTS (SELECT 1 FROM identity_providers WHERE id = ${idpId})`),
    assertThat(ctx.db, 'mapping', mappingExists(input.mappingId)),
    insert,
  ]);
  return (rows as ProtocolRow[])[0] as ProtocolRow;
}

/** @throws ApiError 400 (no such mapping), 403, 404 */
export async function updateProtocol(
  ctx: ActorContext,
  { idpId, id, change }: { idpId: string; id: string; change: ProtocolToUpdate },
): Promise<ProtocolRow> {
  authorize(ctx, 'identity:update_protocol');
  const { mappingId } = change;
  const [, rows] = await save(ctx, 'update', { idpId, id, mappingId }, [
    assertThat(ctx.db, 'mapping', mappingId === undefined ? sql`1` : mappingExists(mappingId)),
    ctx.db.update(federationProtocols).set(change).where(protocolIs(idpId, id)).returning(),
  ]);
  const [protocol] = rows as ProtocolRow[];
  if (!protocol) throw missingProtocol(idpId, id);
  return protocol;
}

async function save(
  ctx: ActorContext,
  how: 'create' | 'update',
  { idpId, id, mappingId }: { idpId: string; id: string; mappingId: string | undefined },
  statements: Parameters<typeof commit>[1]['statements'],
): Promise<unknown[]> {
  const audit = { action: `identity:${how}_protocol`, targetType: 'federation_protocol', targetId: `${idpId}/${id}` };
  try {
    return await commit(ctx, { audit: { ...audit, detail: { mappingId: mappingId ?? null } }, statements });
  } catch (error) {
    if (error instanceof ConstraintFailed) throw duplicate('federation_protocol', id);
    if (!(error instanceof AssertionFailed)) throw error;
    throw error.assertion === 'mapping'
      ? badRequest(`Invalid mapping id: ${mappingId}`)
      : missing('identity_provider', idpId);
  }
}
