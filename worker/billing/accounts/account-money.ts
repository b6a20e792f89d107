import { sql } from 'drizzle-orm';
import type { Context } from '../../http/context.ts';
import type { AccountRow } from '../scope.ts';
import type { Balances } from '../views.ts';
import { ownMoney, voucherMoney } from './available.ts';

/** What an account holds, by currency; its own currency always, the others where there is any. And whom it pays for. */
export async function accountMoney(
  ctx: Context,
  { id, currency }: AccountRow,
): Promise<{ balances: Balances[]; projects: string[] }> {
  const account = sql`${id}`;
  const used = sql.raw('used.currency');
  const [balances, links] = await ctx.db.batch([
    ctx.db.all<Balances>(sql`
      SELECT used.currency, ${ownMoney(account, used)} AS "ownMicros", ${voucherMoney(account, used, ctx.clock.nowMs())} AS "voucherMicros"
      FROM (SELECT ${currency} AS currency UNION SELECT currency FROM billing_balances WHERE ledger_account = 'customer:' || ${id}
        UNION SELECT currency FROM billing_vouchers WHERE account_id = ${id}) used ORDER BY used.currency`),
    ctx.db.all<{ projectId: string }>(
      sql`SELECT project_id AS "projectId" FROM billing_account_projects WHERE account_id = ${id} ORDER BY project_id`,
    ),
  ]);
  return { balances, projects: links.map(({ projectId }) => projectId) };
}
