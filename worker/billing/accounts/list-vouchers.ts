import { sql } from 'drizzle-orm';
import { formatMicros } from '../../../shared/money.ts';
import type { ActorContext } from '../../http/context.ts';
import { iso, isoOrNull } from '../../http/times.ts';
import { rowOf } from '../rows.ts';
import { scopeAccount } from '../scope.ts';
import type { VoucherRow } from './create-voucher.ts';

/** Vouchers of an account that are listed: the last ones. */
const VOUCHERS_MAX = 1_000;

/** The vouchers of an account with what is left of each, the one that ends soonest first. */
export async function listVouchers(ctx: ActorContext, id: string) {
  const account = await scopeAccount(ctx, 'billing:vouchers:list', id);
  const rows = await ctx.db.all<Record<string, unknown>>(sql`
    SELECT voucher.*, coalesce(balance.balance_micros, 0) AS left_micros FROM billing_vouchers voucher
    LEFT JOIN billing_balances balance ON balance.ledger_account = 'voucher:' || voucher.id AND balance.currency = voucher.currency
    WHERE voucher.account_id = ${account.id} ORDER BY voucher.expires_at_ms, voucher.id LIMIT ${VOUCHERS_MAX}`);
  return rows.map((raw) => {
    const { leftMicros, ...row } = rowOf<VoucherRow & { leftMicros: number }>(raw);
    return voucherView(row, leftMicros);
  });
}

export const voucherView = (row: VoucherRow, leftMicros: number) => ({
  id: row.id,
  currency: row.currency,
  amount: formatMicros(row.amountMicros, row.currency),
  left: formatMicros(leftMicros, row.currency),
  reason: row.reason,
  expires_at: iso(row.expiresAtMs),
  expired_at: isoOrNull(row.expiredAtMs),
  created_at: iso(row.createdAtMs),
});
