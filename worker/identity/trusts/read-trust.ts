import { and, asc, eq, gt, isNull, or, sql } from 'drizzle-orm';
import { trusts } from '../../../db/schema/delegation.ts';
import { roles } from '../../../db/schema/identity.ts';
import type { ActorContext, Context } from '../../http/context.ts';
import { forbiddenAction } from '../http/forbidden-action.ts';
import { missing } from '../http/names.ts';
import { type Action, authorize } from '../policy.ts';
import type { RoleRow } from '../roles/views.ts';
import type { TrustRow } from './views.ts';

/** A trust with its roles, and the trusts that it was made with, the nearest first. */
export interface Trust {
  row: TrustRow;
  roles: RoleRow[];
  above: TrustRow[];
}

/** Not expired, and not used up. */
const usable = ({ clock }: Context) =>
  and(
    or(isNull(trusts.expiresAtMs), gt(trusts.expiresAtMs, clock.nowMs())),
    or(isNull(trusts.remainingUses), gt(trusts.remainingUses, 0)),
  );

const idsOfChain = (id: string) => sql`(WITH RECURSIVE chain(id) AS (
    SELECT ${id} UNION SELECT redelegated_trust_id FROM trusts JOIN chain ON trusts.id = chain.id
  ) SELECT chain.id FROM chain WHERE chain.id IS NOT NULL)`;

/** A trust that can be used now, whoever asks. */
export async function readTrust(ctx: Context, id: string): Promise<Trust | undefined> {
  const { db } = ctx;
  const ofTrust = sql`(SELECT value FROM trusts, json_each(role_ids) WHERE trusts.id = ${id})`;
  const [chain, roleRows] = await db.batch([
    db
      .select()
      .from(trusts)
      .where(and(sql`${trusts.id} IN ${idsOfChain(id)}`, usable(ctx))),
    db.select().from(roles).where(sql`${roles.id} IN ${ofTrust}`).orderBy(asc(roles.id)),
  ]);
  const row = chain.find((one) => one.id === id);
  if (!row) return undefined;
  const above: TrustRow[] = [];
  for (let next = row.redelegatedTrustId; next !== null; ) {
    const parent = chain.find((one) => one.id === next);
    // A trust is worth no more than those that it rests on.
    if (!parent) return undefined;
    above.push(parent);
    next = parent.redelegatedTrustId;
  }
  return { row, roles: roleRows, above };
}

/** Whom a trust connects, for the policy. */
export const targetOf = ({ trustorUserId, trusteeUserId }: TrustRow) => ({
  trustorId: trustorUserId,
  trusteeId: trusteeUserId,
});

/** @throws ApiError 403, 404: that there is no such trust comes first, as in Keystone */
export async function findTrust(ctx: ActorContext, id: string, action: Action): Promise<Trust> {
  const trust = await readTrust(ctx, id);
  if (!trust) throw missing('trust', id);
  authorize(ctx, action, targetOf(trust.row));
  refuseApplicationCredentials(ctx);
  return trust;
}

/** @throws ApiError 403 for a token by an application credential */
export function refuseApplicationCredentials({ actor }: ActorContext): void {
  if (actor.delegation?.type === 'application-credential') {
    throw forbiddenAction("Using method 'application_credential' is not allowed for managing trusts.");
  }
}

/** Trusts by who made them or whom they were made for. @throws ApiError 403 */
export async function listTrusts(ctx: ActorContext, query: URLSearchParams): Promise<TrustRow[]> {
  const trustorId = query.get('trustor_user_id');
  const trusteeId = query.get('trustee_user_id');
  if (trustorId) authorize(ctx, 'identity:list_trusts_for_trustor', { trustorId });
  else if (trusteeId) authorize(ctx, 'identity:list_trusts_for_trustee', { trusteeId });
  else authorize(ctx, 'identity:list_trusts');
  refuseApplicationCredentials(ctx);
  return ctx.db
    .select()
    .from(trusts)
    .where(
      and(
        usable(ctx),
        trustorId ? eq(trusts.trustorUserId, trustorId) : undefined,
        trusteeId && !trustorId ? eq(trusts.trusteeUserId, trusteeId) : undefined,
      ),
    )
    .orderBy(asc(trusts.id));
}
