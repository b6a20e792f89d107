import type { Env } from '../env.ts';
import type { Log } from '../http/context.ts';
import type { Fleet } from './fleet.ts';

/** The fleet behind the RunnerLink objects. */
export function linkedFleet(env: Env, log: Log, waitUntil: (promise: Promise<unknown>) => void): Fleet {
  const link = (runnerId: string) => env.RUNNER_LINK.get(env.RUNNER_LINK.idFromName(runnerId));
  return {
    poke(runnerIds) {
      for (const id of runnerIds) {
        waitUntil(
          link(id)
            .poke(id)
            .catch((error: unknown) => log.error('poke-failed', { runnerId: id, error: String(error) })),
        );
      }
    },
    async query(runnerId, query, timeoutMs) {
      return link(runnerId).query(runnerId, query, timeoutMs);
    },
  };
}
