import { systemClock } from '../../shared/clock.ts';
import { newRequestId, randomIds } from '../../shared/ids.ts';
import type { Env } from '../env.ts';
import type { Context } from '../http/context.ts';
import { makeContext } from '../http/make-context.ts';

/** What a Durable Object acts with when no request of a client is behind it. */
export function objectContext(env: Env, state: DurableObjectState, region: string): Context {
  return makeContext(env, {
    clock: systemClock,
    ids: randomIds,
    requestId: newRequestId(randomIds),
    region,
    baseUrl: env.PUBLIC_URL,
    waitUntil: (promise) => state.waitUntil(promise),
  });
}
