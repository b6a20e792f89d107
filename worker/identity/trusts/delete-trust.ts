import { sql } from 'drizzle-orm';
import type { ActorContext } from '../../http/context.ts';
import { commitRevoking } from '../tokens/revoke.ts';
import { findTrust } from './read-trust.ts';

/** Deletes a trust with those that were made with it, which ends the tokens had by them. @throws ApiError 403, 404 */
export async function deleteTrust(ctx: ActorContext, id: string): Promise<void> {
  const action = 'identity:delete_trust';
  await findTrust(ctx, id, action);
  const below = sql`(WITH RECURSIVE below(id) AS (
      SELECT ${id} UNION SELECT trusts.id FROM trusts JOIN below ON trusts.redelegated_trust_id = below.id
    ) SELECT below.id FROM below)`;
  await commitRevoking(
    ctx,
    {
      audit: { action, targetType: 'trust', targetId: id },
      statements: [ctx.db.run(sql`DELETE FROM trusts WHERE id IN ${below}`)],
    },
    [],
    sql`SELECT 'trust' AS kind, id AS subject FROM trusts WHERE id IN ${below}`,
  );
}
