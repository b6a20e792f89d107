import { DurableObject } from 'cloudflare:workers';
import { systemClock, systemTimers } from '../../../shared/clock.ts';
import type { Env } from '../../env.ts';
import { objectContext } from '../../fleet/object-context.ts';
import { runImport } from './run-import.ts';

/** One an import: does it in an alarm, which lives longer than what follows an answer, and keeps nothing after it. */
export class ImageImporter extends DurableObject<Env> {
  async start(region: string, taskId: string): Promise<void> {
    await this.ctx.storage.put({ region, taskId });
    await this.ctx.storage.setAlarm(systemClock.nowMs());
  }

  override async alarm(): Promise<void> {
    const [region, taskId] = await Promise.all(['region', 'taskId'].map((name) => this.ctx.storage.get<string>(name)));
    if (region && taskId) await runImport(objectContext(this.env, this.ctx, region), taskId, systemTimers);
    if ((await this.ctx.storage.getAlarm()) === null) await this.ctx.storage.deleteAll();
  }
}
