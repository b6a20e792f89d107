import type { Context } from '../../http/context.ts';
import { deleteBelongings } from './delete-belongings.ts';
import { stepAccounts } from './step-accounts.ts';
import { settleServers, startServers, stopServers } from './turn-servers.ts';

/**
 * One round of what becomes of accounts that are used up: told, then suspended with their servers stopped, then emptied, as
 * far and as late as each account's ladder says; and of those that paid. Each step can fail, be repeated or run twice at once.
 */
export async function climbLadder(ctx: Context): Promise<void> {
  const failed: unknown[] = [];
  for (const step of [stepAccounts, stopServers, settleServers, startServers, deleteBelongings])
    await step(ctx).catch((error: unknown) => failed.push(error));
  if (failed.length > 0) throw failed[0];
}
