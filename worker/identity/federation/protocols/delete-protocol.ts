import { sql } from 'drizzle-orm';
import { federationProtocols } from '../../../../db/schema/federation.ts';
import { AssertionFailed, assertThat } from '../../../http/commit.ts';
import type { ActorContext } from '../../../http/context.ts';
import { authorize } from '../../policy.ts';
import { commitRevoking } from '../../tokens/revoke.ts';
import { forgetUsers } from '../forget-users.ts';
import { missingProtocol } from '../names.ts';
import { protocolIs } from './find-protocol.ts';

/** Deletes a protocol with the users that only came by it, and their tokens. @throws ApiError 403, 404 */
export async function deleteProtocol(ctx: ActorContext, idpId: string, id: string): Promise<void> {
  authorize(ctx, 'identity:delete_protocol');
  const { db } = ctx;
  await commitRevoking(
    ctx,
    {
      audit: { action: 'identity:delete_protocol', targetType: 'federation_protocol', targetId: `${idpId}/${id}` },
      statements: [
        assertThat(
          db,
          'is-there',
          sql`EXISTS (SELECT 1 FROM federation_protocols WHERE idp_id = ${idpId} AND id = ${id})`,
        ),
        ...forgetUsers(db, { idpId, protocolId: id }),
        db.delete(federationProtocols).where(protocolIs(idpId, id)),
      ],
    },
    [{ kind: 'federation', subject: `${idpId}/${id}` }],
  ).catch((error: unknown) => {
    throw error instanceof AssertionFailed ? missingProtocol(idpId, id) : error;
  });
}
