import { DurableObject } from 'cloudflare:workers';
import { systemClock, systemTimers } from '../../shared/clock.ts';
import type { Env } from '../env.ts';
import { objectContext } from '../fleet/object-context.ts';
import { endClaims } from './claim-deliveries.ts';
import { AGAIN_MS, SENDING_MS_MAX } from './limits.ts';
import { sendDue } from './send-due.ts';

/** One an endpoint, so that a slow one holds up no other. It sends in its alarm, and sleeps otherwise. */
export class WebhookSender extends DurableObject<Env> {
  /** Somebody said that there is more, since it was last looked. */
  #woken = false;
  #sending = false;
  /** One before us, or a round that failed, may have left claims that nobody works on: there is but one of us at a time. */
  #leftover = true;

  /** Something may be due. That is in the database: a wake that is lost is found by the region's round. */
  async wake(region: string, endpointId: string): Promise<void> {
    this.#woken = true;
    if (this.#sending) return;
    await this.ctx.storage.put({ region, endpointId });
    await this.ctx.storage.setAlarm(systemClock.nowMs());
  }

  override async alarm(): Promise<void> {
    // First of all: an alarm that fails too often is never called again, and one that is killed comes again so soon.
    await this.ctx.storage.setAlarm(systemClock.nowMs() + AGAIN_MS);
    this.#sending = true;
    try {
      const dueMs = await this.#send();
      const atMs = this.#woken ? systemClock.nowMs() : dueMs;
      if (atMs === undefined) await this.ctx.storage.deleteAll();
      if (typeof atMs === 'number') await this.ctx.storage.setAlarm(atMs);
      else await this.ctx.storage.deleteAlarm();
    } catch (error) {
      this.#leftover = true;
      console.error(JSON.stringify({ level: 'error', event: 'webhooks-not-sent', error: String(error) }));
    } finally {
      this.#sending = false;
    }
  }

  async #send(): Promise<number | null | undefined> {
    const [region, id] = await Promise.all(['region', 'endpointId'].map((name) => this.ctx.storage.get<string>(name)));
    if (!region || !id) return undefined;
    const ctx = objectContext(this.env, this.ctx, region);
    if (this.#leftover) await endClaims(ctx, id);
    this.#leftover = false;
    const untilMs = systemClock.nowMs() + SENDING_MS_MAX;
    for (;;) {
      this.#woken = false;
      const dueMs = await sendDue(ctx, id, systemTimers);
      const nowMs = systemClock.nowMs();
      if (typeof dueMs !== 'number' || dueMs > nowMs || nowMs > untilMs) return dueMs;
    }
  }
}
