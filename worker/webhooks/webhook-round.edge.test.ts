import { eq } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import { events, eventVersions } from '../../db/schema/events.ts';
import { webhookSecrets } from '../../db/schema/webhooks.ts';
import { webhookStage } from '../../test/edge-webhooks.ts';
import { putEvent } from '../events/put-event.ts';
import { commit } from '../http/commit.ts';
import { DELIVERIES_KEEP_MS, EVENTS_KEEP_MS, SECRET_OVERLAP_S } from './limits.ts';
import { rotateSecret } from './rotate-secret.ts';
import { webhookRound } from './webhook-round.ts';

describe('a round of the region', () => {
  it('wakes whoever something is due to, whatever wake was lost', async () => {
    const one = webhookStage();
    const { id } = await one.create();
    await one.create({ url: `${one.box.url}-other`, events: ['server.*'] });
    await one.tell('r');
    one.woken.length = 0;
    await webhookRound(one.ctx);
    expect(one.woken).toEqual([id]);
    await one.send(id);
    one.woken.length = 0;
    await webhookRound(one.ctx);
    expect(one.woken).toEqual([]);
  });

  it('clears away what is old, but nothing that is still on its way', async () => {
    const one = webhookStage();
    const { id } = await one.create();
    const resource = crypto.randomUUID();
    const count = async () =>
      (await one.ctx.db.select().from(events).where(eq(events.resourceId, resource))).map((row) => row.version);
    await one.tell(resource, 2);
    one.clock.ms += EVENTS_KEEP_MS + 1;
    await webhookRound(one.ctx);
    expect(await count()).toEqual([1, 2]);
    await one.send(id);
    await webhookRound(one.ctx);
    expect(await count()).toEqual([]);
    expect(await one.deliveries(id)).toHaveLength(2);
    one.clock.ms += DELIVERIES_KEEP_MS + 1;
    await webhookRound(one.ctx);
    expect(await one.deliveries(id)).toEqual([]);
    // What comes now is numbered on.
    await one.tell(resource);
    expect(await count()).toEqual([3]);
  });

  it('forgets the numbers of what is gone with its last event', async () => {
    const one = webhookStage();
    const resourceId = crypto.randomUUID();
    const data = { id: resourceId, name: 'n', admin_state_up: true, shared: false, external: false, mtu: 1450 };
    const versions = () => one.ctx.db.select().from(eventVersions).where(eq(eventVersions.resourceId, resourceId));
    await one.tell(resourceId);
    await commit(one.ctx, {
      audit: { action: 'test', targetType: 'test', targetId: resourceId },
      statements: [putEvent(one.ctx, { type: 'network.deleted', projectId: null, resourceId, data })],
    });
    expect(await versions()).toMatchObject([{ version: 2, ended: true }]);
    one.clock.ms += EVENTS_KEEP_MS + 1;
    await webhookRound(one.ctx);
    expect(await versions()).toEqual([]);
  });

  it('forgets secrets that sign no more', async () => {
    const one = webhookStage();
    const { id } = await one.create();
    await rotateSecret(one.ctx, id, { type: 'hmac', overlap_s: SECRET_OVERLAP_S });
    const count = async () =>
      (await one.ctx.db.select().from(webhookSecrets).where(eq(webhookSecrets.endpointId, id))).length;
    await webhookRound(one.ctx);
    expect(await count()).toBe(2);
    one.clock.ms += SECRET_OVERLAP_S * 1000;
    await webhookRound(one.ctx);
    expect(await count()).toBe(1);
  });
});
