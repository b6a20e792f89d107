import { Hono } from 'hono';
import { describe, expect, it } from 'vitest';
import { AssertionFailed, ConstraintFailed } from '../http/commit.ts';
import type { AppEnv, Context } from '../http/context.ts';
import { ApiError, notFound, serviceUnavailable, tooLarge } from '../http/errors.ts';
import { renderFault } from './faults.ts';

/** What a service answers whose verb throws this, and what it logged. */
async function answerTo(error: Error) {
  const logged: string[] = [];
  const app = new Hono<AppEnv>();
  app.use(async (c, next) => {
    c.set('ctx', { log: { error: (event: string) => logged.push(event) } } as unknown as Context);
    await next();
  });
  app.onError(renderFault);
  app.get('/', () => {
    throw error;
  });
  const response = await app.request('/');
  const { NeutronError } = (await response.json()) as { NeutronError: Record<string, unknown> };
  return { status: response.status, headers: response.headers, fault: NeutronError, logged };
}

describe('renderFault', () => {
  it('keeps the name of a fault that has one, and gives one to others', async () => {
    const named = await answerTo(notFound('Port x could not be found.', 'PortNotFound'));
    expect(named.fault).toEqual({ type: 'PortNotFound', message: 'Port x could not be found.', detail: '' });
    expect((await answerTo(notFound('no'))).fault.type).toBe('HTTPNotFound');
    expect((await answerTo(tooLarge('big'))).fault.type).toBe('HTTPRequestEntityTooLarge');
    expect((await answerTo(new ApiError(415, 'no'))).fault.type).toBe('HTTPUnsupportedMediaType');
  });

  it('says when to come back', async () => {
    const busy = await answerTo(serviceUnavailable('busy', 7));
    expect([busy.status, busy.headers.get('retry-after')]).toEqual([503, '7']);
  });

  it('tells a conflict that no verb foresaw as one', async () => {
    for (const error of [new AssertionFailed('x'), new ConstraintFailed('x', null)]) {
      expect(await answerTo(error)).toMatchObject({ status: 409, fault: { type: 'Conflict' }, logged: [] });
    }
  });

  it('tells nothing of what nobody expected, and logs it', async () => {
    const unexpected = await answerTo(new Error('secret'));
    expect(unexpected).toMatchObject({
      status: 500,
      fault: { type: 'HTTPInternalServerError' },
      logged: ['request-failed'],
    });
    expect(JSON.stringify(unexpected.fault)).not.toContain('secret');
  });
});
