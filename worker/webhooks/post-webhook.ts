import type { Timers } from '../../shared/clock.ts';
import type { Context } from '../http/context.ts';
import { targetOf } from './check-target.ts';
import { type SecretRow, signatures } from './keys.ts';
import type { Outcome } from './ladder.ts';
import { ANSWER_BYTES_MAX, ATTEMPT_TIMEOUT_MS, ERROR_LENGTH_MAX } from './limits.ts';

/** One attempt: what came of it, when, and the first bytes of the answer. */
export interface Attempt extends Outcome {
  atMs: number;
  durationMs: number;
  /** Why there was no answer; null where there was. */
  error: string | null;
  answer: string;
}

/** Whether the receiver took it. */
export const succeeded = ({ status }: Outcome): boolean => status !== null && status >= 200 && status < 300;

/**
 * Sends a webhook once. Whatever goes wrong is told in the attempt; redirects are not followed. An answer counts once its
 * status has come: what is left of its body when the time is up does not matter.
 */
export async function postWebhook(
  ctx: Context,
  timers: Timers,
  of: { url: string; secrets: SecretRow[]; id: string; body: string },
): Promise<Attempt> {
  const atMs = ctx.clock.nowMs();
  const done = (came: Partial<Attempt>): Attempt => ({
    ...{ status: null, retryAfter: null, error: null, answer: '' },
    ...{ atMs, durationMs: ctx.clock.nowMs() - atMs, ...came },
  });
  const target = targetOf(of.url, ctx.env.WEBHOOK_ALLOW);
  if ('problem' in target)
    return done({ error: `not sent to ${of.url}: ${target.problem}`.slice(0, ERROR_LENGTH_MAX) });
  const seconds = Math.floor(atMs / 1000);
  const signature = await signatures(ctx, of.secrets, `${of.id}.${seconds}.${of.body}`);
  if (signature === null) return done({ error: 'not sent: no secret of this endpoint can be opened; rotate it' });
  const end = new AbortController();
  const callOff = timers.after(ATTEMPT_TIMEOUT_MS, () =>
    end.abort(new Error(`no answer in ${ATTEMPT_TIMEOUT_MS / 1000} s`)),
  );
  try {
    const headers = {
      ...{ 'content-type': 'application/json', 'user-agent': 'Aerostat-Webhooks/1' },
      ...{ 'webhook-id': of.id, 'webhook-timestamp': String(seconds), 'webhook-signature': signature },
    };
    const { body } = of;
    const request = new Request(target.url.href, {
      method: 'POST',
      redirect: 'manual',
      signal: end.signal,
      headers,
      body,
    });
    const response = await ctx.deliver(request);
    const answer = await firstBytes(response);
    return done({ status: response.status, retryAfter: response.headers.get('retry-after'), answer });
  } catch (cause) {
    return done({ error: reasonOf(end.signal.aborted ? end.signal.reason : cause) });
  } finally {
    callOff();
  }
}

/** Why there was no answer. The runtime says no more than this where the address is not one that it lets us reach. */
function reasonOf(cause: unknown): string {
  const why = cause instanceof Error ? cause.message : String(cause);
  const hidden = /^internal error/.test(why);
  return hidden ? 'not reached: webhooks do not go to this address' : why.slice(0, ERROR_LENGTH_MAX);
}

/** The first bytes of an answer as text, as far as they come; the rest is not waited for. */
async function firstBytes(response: Response): Promise<string> {
  const reader = response.body?.getReader();
  if (!reader) return '';
  const bytes = new Uint8Array(ANSWER_BYTES_MAX);
  let length = 0;
  try {
    while (length < ANSWER_BYTES_MAX) {
      const { done, value } = await reader.read();
      if (done) break;
      const part = value.subarray(0, ANSWER_BYTES_MAX - length);
      bytes.set(part, length);
      length += part.byteLength;
    }
  } catch {
    // It broke off, or the time is up: its status is what counts.
  }
  await reader.cancel().catch(() => {});
  return new TextDecoder().decode(bytes.subarray(0, length)).replaceAll('\0', '\u{FFFD}');
}
