import { and, eq, sql } from 'drizzle-orm';
import { billingTransfers } from '../../../db/schema/billing.ts';
import { AssertionFailed, assertThat, ConstraintFailed, commit } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { conflict } from '../../http/errors.ts';
import { type Movement, microsOf } from '../bodies.ts';
import { cash, customer, revenue } from '../ledger/names.ts';
import { scopeAccount } from '../scope.ts';

export type TransferRow = typeof billingTransfers.$inferSelect;

/** Kinds of movement between an account and us: money that came, money that is paid out, and a credit note. */
export type MovementKind = 'deposit' | 'withdrawal' | 'credit';
const ACTIONS = {
  deposit: 'billing:accounts:deposit',
  withdrawal: 'billing:accounts:withdraw',
  credit: 'billing:accounts:credit',
} as const;

/**
 * Moves money once: the same reference again answers with what was moved then.
 * @throws ApiError 400 an amount of too many digits; 404; 409 the reference is of another movement, or more is paid out
 *   than is there
 */
export async function moveMoney(
  ctx: ActorContext,
  id: string,
  kind: MovementKind,
  input: Movement,
): Promise<TransferRow> {
  const account = await scopeAccount(ctx, ACTIONS[kind], id);
  const amountMicros = microsOf(input.amount, input.currency);
  const of = customer(account.id);
  const [fromAccount, toAccount] = {
    deposit: [cash(ctx.region), of],
    withdrawal: [of, cash(ctx.region)],
    credit: [revenue(ctx.region), of],
  }[kind] as [string, string];
  const reference = `${kind}:${account.id}:${input.reference}`;
  const row = {
    region: ctx.region,
    reference,
    leg: 'money',
    kind,
    fromAccount,
    toAccount,
    currency: input.currency,
    amountMicros,
  };
  // Asked after the money has moved: what was there then must have been enough.
  const funded = sql`EXISTS (SELECT 1 FROM billing_balances
    WHERE ledger_account = ${of} AND currency = ${input.currency} AND balance_micros >= 0)`;
  try {
    await commit(ctx, {
      audit: { action: ACTIONS[kind], targetType: 'billing-account', targetId: account.id, detail: { ...input } },
      statements: [
        ctx.db.insert(billingTransfers).values({ ...row, description: input.description, atMs: ctx.clock.nowMs() }),
        ...(kind === 'withdrawal' ? [assertThat(ctx.db, 'funds', funded)] : []),
      ],
    });
  } catch (error) {
    if (error instanceof AssertionFailed)
      throw conflict(`The account does not hold ${input.amount} ${input.currency}: it cannot be paid out.`);
    if (!(error instanceof ConstraintFailed)) throw error;
  }
  const [moved] = await ctx.db
    .select()
    .from(billingTransfers)
    .where(and(eq(billingTransfers.reference, reference), eq(billingTransfers.leg, 'money')));
  if (moved?.amountMicros !== amountMicros || moved.currency !== input.currency)
    throw conflict(`Reference ${input.reference} is of another movement.`);
  return moved;
}
