import { eq } from 'drizzle-orm';
import { billingTransfers, billingVouchers } from '../../../db/schema/billing.ts';
import { ConstraintFailed, commit } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { badRequest, conflict } from '../../http/errors.ts';
import { microsOf, type NewVoucher } from '../bodies.ts';
import { promotion, voucher } from '../ledger/names.ts';
import { scopeAccount } from '../scope.ts';

export type VoucherRow = typeof billingVouchers.$inferSelect;

/**
 * Gives an account money that must be spent by a moment; it is spent before the account's own. Once a reference.
 * @throws ApiError 400 a moment that is past, or an amount of too many digits; 404; 409 the reference is of another voucher
 */
export async function createVoucher(ctx: ActorContext, id: string, input: NewVoucher): Promise<VoucherRow> {
  const account = await scopeAccount(ctx, 'billing:vouchers:create', id);
  const now = ctx.clock.nowMs();
  if (input.expires_at <= now) throw badRequest('expires_at is past.');
  const amountMicros = microsOf(input.amount, input.currency);
  const voucherId = `${account.id}.${input.reference}`;
  const row: VoucherRow = {
    id: voucherId,
    region: ctx.region,
    accountId: account.id,
    currency: input.currency,
    amountMicros,
    reason: input.reason,
    expiresAtMs: input.expires_at,
    expiredAtMs: null,
    createdBy: ctx.actor.userId,
    createdAtMs: now,
  };
  try {
    await commit(ctx, {
      audit: {
        action: 'billing:vouchers:create',
        targetType: 'billing-account',
        targetId: account.id,
        detail: { ...input },
      },
      statements: [
        ctx.db.insert(billingVouchers).values(row),
        ctx.db.insert(billingTransfers).values({
          region: ctx.region,
          reference: voucher(voucherId),
          leg: 'money',
          kind: 'voucher',
          fromAccount: promotion(ctx.region),
          toAccount: voucher(voucherId),
          currency: input.currency,
          amountMicros,
          description: input.reason,
          atMs: now,
        }),
      ],
    });
  } catch (error) {
    if (error instanceof ConstraintFailed) return given(ctx, row);
    throw error;
  }
  return row;
}

async function given(ctx: ActorContext, wanted: VoucherRow): Promise<VoucherRow> {
  const [row] = await ctx.db.select().from(billingVouchers).where(eq(billingVouchers.id, wanted.id));
  const same = row?.amountMicros === wanted.amountMicros && row.currency === wanted.currency;
  if (!row || !same || row.expiresAtMs !== wanted.expiresAtMs) throw conflict('The reference is of another voucher.');
  return row;
}
