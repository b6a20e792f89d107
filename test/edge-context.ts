import { env } from 'cloudflare:test';
import { systemClock } from '../shared/clock.ts';
import { newRequestId, randomIds } from '../shared/ids.ts';
import type { Env } from '../worker/env.ts';
import type { ActorContext, Context } from '../worker/http/context.ts';
import { makeContext } from '../worker/http/make-context.ts';

/** A verb's context on the database and stores of the lane, with what the test puts in place of some of it. */
export function edgeContext(replaced: Partial<Context> = {}): Context {
  const workerEnv = env as unknown as Env;
  const context = makeContext(workerEnv, {
    clock: systemClock,
    ids: randomIds,
    requestId: newRequestId(randomIds),
    region: workerEnv.REGION,
    baseUrl: 'http://edge.test',
    waitUntil: () => {},
  });
  return { ...context, ...replaced };
}

/** The same for an actor of a project, or an admin. */
export function actorContextOf(projectId: string, roles: string[] = ['member', 'reader']): ActorContext {
  const domain = { userDomainId: 'default', userDomainName: 'Default' };
  return {
    ...edgeContext(),
    actor: {
      ...domain,
      userId: 'u',
      userName: 'u',
      projectId,
      projectName: projectId,
      projectDomainId: 'default',
      projectDomainName: 'Default',
      domainId: null,
      systemScope: false,
      roles,
      auditId: 'a',
      issuedAtMs: 0,
      expiresAtMs: Number.MAX_SAFE_INTEGER,
    },
  };
}
