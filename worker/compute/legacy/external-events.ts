import { sql } from 'drizzle-orm';
import { Hono } from 'hono';
import { z } from 'zod';
import { commit } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { notFound } from '../../http/errors.ts';
import { authorize } from '../../http/policy.ts';
import { actorOf, type ComputeEnv } from '../http/env.ts';
import type { Microversion } from '../http/microversion.ts';
import { uuid } from '../http/parameters.ts';
import { checkedBody } from '../http/validate.ts';
import { policy } from '../policy.ts';

const ACTION = 'os_compute_api:os-server-external-events:create';
/** Events that one request may bring. */
const EVENTS_MAX = 1000;

const NAMES: readonly [Microversion, string[]][] = [
  [1, ['network-changed', 'network-vif-plugged', 'network-vif-unplugged', 'network-vif-deleted']],
  [51, ['volume-extended']],
  [76, ['power-update']],
  [82, ['accelerator-request-bound']],
  [93, ['volume-reimaged']],
];

export const eventsBody = (version: Microversion) => {
  const names = NAMES.flatMap(([from, list]) => (version >= from ? list : []));
  const event = z.strictObject({
    name: z.enum(names as [string, ...string[]]),
    server_uuid: uuid,
    status: z.enum(['failed', 'completed', 'in-progress']).default('completed'),
    tag: z.string().max(255).optional(),
  });
  return z.strictObject({ events: z.array(event).min(1).max(EVENTS_MAX) });
};
type Event = z.infer<ReturnType<typeof eventsBody>>['events'][number];

/**
 * Takes what other services tell of servers. Ports and disks are this cloud's own, so nothing waits for such word: it is
 * recorded, and every event is told whether its server is there and on a host.
 */
async function takeEvents(ctx: ActorContext, events: Event[]) {
  authorize(ctx, policy, ACTION);
  const ids = JSON.stringify([...new Set(events.map((event) => event.server_uuid))]);
  const audit = { action: ACTION, targetType: 'server', targetId: 'events', detail: { events } };
  const [rows] = await commit(ctx, {
    audit,
    statements: [
      ctx.db.all<{ id: string; placed: number }>(sql`
        SELECT id, runner_id IS NOT NULL AS placed FROM servers
        WHERE region = ${ctx.region} AND deleted_at_ms IS NULL AND id IN (SELECT value FROM json_each(${ids}))`),
    ],
  });
  const found = new Map((rows as { id: string; placed: number }[]).map(({ id, placed }) => [id, placed === 1]));
  return events.map((event) => {
    const placed = found.get(event.server_uuid);
    if (placed) return { ...event, code: 200 };
    return { ...event, status: 'failed', code: placed === undefined ? 404 : 422 };
  });
}

/** `/os-server-external-events`. */
export const externalEventRoutes = new Hono<ComputeEnv>();

externalEventRoutes.post('/', async (c) => {
  const { events } = await checkedBody(c, eventsBody(c.get('microversion')));
  const taken = await takeEvents(actorOf(c), events);
  if (taken.every(({ code }) => code !== 200)) throw notFound('No instances found for any event');
  return c.json({ events: taken }, taken.every(({ code }) => code === 200) ? 200 : 207);
});
