import { and, eq, inArray } from 'drizzle-orm';
import { operations } from '../../../db/schema/fleet.ts';
import type { RunnerMessageOf } from '../../../shared/protocol/messages.ts';
import type { Context } from '../../http/context.ts';
import { operationObservers } from '../observers.ts';
import { commitEffects } from './record-observed.ts';

/** Writes how an operation goes or ended, with what that changes for its target. Repeats change nothing. */
export async function recordOperation(
  ctx: Context,
  runnerId: string,
  update: RunnerMessageOf<'operation-update'>,
): Promise<void> {
  const ended = update.state !== 'accepted';
  const effects = Object.values(operationObservers).map((observer) => observer(ctx, runnerId, update));
  const row = ctx.db
    .update(operations)
    .set({
      state: update.state,
      result: update.result ?? null,
      fault: update.fault ?? null,
      ...(ended ? { finishedAtMs: ctx.clock.nowMs() } : {}),
    })
    .where(
      and(
        eq(operations.opId, update.op_id),
        eq(operations.runnerId, runnerId),
        inArray(operations.state, ['queued', 'accepted']),
      ),
    );
  // The observers see the operation still open: a repeat finds it closed and changes nothing.
  await commitEffects(ctx, [...effects, { statements: [row] }]);
}
