import { and, asc, eq } from 'drizzle-orm';
import { federationProtocols } from '../../../../db/schema/federation.ts';
import type { ActorContext } from '../../../http/context.ts';
import { authorize } from '../../policy.ts';
import { missingProtocol } from '../names.ts';

export type ProtocolRow = typeof federationProtocols.$inferSelect;

/** The condition that names one protocol of a provider. */
export const protocolIs = (idpId: string, id: string) =>
  and(eq(federationProtocols.idpId, idpId), eq(federationProtocols.id, id));

/** @throws ApiError 403, 404 */
export async function showProtocol(ctx: ActorContext, idpId: string, id: string): Promise<ProtocolRow> {
  authorize(ctx, 'identity:get_protocol');
  const [protocol] = await ctx.db.select().from(federationProtocols).where(protocolIs(idpId, id));
  if (!protocol) throw missingProtocol(idpId, id);
  return protocol;
}

/** A provider's protocols; as in Keystone none when there is no such provider. @throws ApiError 403 */
export async function listProtocols(ctx: ActorContext, idpId: string): Promise<ProtocolRow[]> {
  authorize(ctx, 'identity:list_protocols');
  return ctx.db
    .select()
    .from(federationProtocols)
    .where(eq(federationProtocols.idpId, idpId))
    .orderBy(asc(federationProtocols.id));
}
