import { type SQL, sql } from 'drizzle-orm';
import { assertThat, type Statement } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { forbidden } from '../../http/errors.ts';
import { isAdmin } from '../../http/policy.ts';
import { available } from '../accounts/available.ts';

const insolvent = () =>
  forbidden(
    'This project’s billing account is used up or suspended: pay in, or ask your operator. Stopping and deleting go on.',
  );

/**
 * A statement for the batch of what begins or goes on to cost something: it is refused (403) while the project's account is
 * suspended, or may spend nothing more. Operators pass.
 * @param projectId - whose account is asked
 * @param when - what else must hold for its balance to be asked; suspended it is whatever holds
 */
export function requireSolvent(ctx: ActorContext, projectId: string | SQL, when: SQL = sql`1`): Statement[] {
  if (isAdmin(ctx)) return [];
  const sells = sql`EXISTS (SELECT 1 FROM billing_products WHERE region = ${ctx.region} AND automatic = 1 AND retired_at_ms IS NULL)`;
  const insolventAccount = sql`SELECT 1 FROM billing_account_projects link JOIN billing_accounts account ON account.id = link.account_id
    WHERE link.region = ${ctx.region} AND link.project_id = ${projectId}
      AND (account.suspended_at_ms IS NOT NULL OR ((${when}) AND ${available('account', ctx.clock.nowMs())} <= 0 AND ${sells}))`;
  return [assertThat(ctx.db, 'billing-solvent', sql`NOT EXISTS (${insolventAccount})`, insolvent())];
}
