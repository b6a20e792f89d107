import type { Outcome } from '../driver.ts';
import type { Entry, Work } from './entry.ts';

/*
 * After a start of the runner a guest that stopped by itself must not be started again by mistake, and after a boot of the
 * machine a guest that ran must be. The ledger says which of the two it was.
 */

/** What to do first with an object that the ledger holds; null where there is nothing to do. */
export function firstWork(entry: Entry, bootId: string): Work | null {
  const { wish } = entry;
  if (wish.deleted) return 'remove';
  if (entry.kind !== 'server' || wish.appliedGeneration !== wish.generation) return 'apply';
  if (wish.observation?.state === 'failed') return null;
  if (wish.appliedBoot === bootId) return 'look';
  // It shut itself down in an earlier boot, as its owner asked from within: it stays down.
  return wish.observation?.state === 'stopped' && wish.observation.cause === 'guest' ? null : 'apply';
}

/** What a look at a guest, applied before in this boot, asks for: null leaves it as it is. */
export function workAfterLook(entry: Entry, outcome: Outcome | null): Work | null {
  if (outcome === null) return 'apply';
  const power = (entry.spec as { power?: unknown } | null)?.power;
  return power !== 'off' && outcome.state === 'stopped' && outcome.cause ? null : 'apply';
}
