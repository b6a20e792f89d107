import { Hono } from 'hono';
import { parseBody, parseValue } from '../http/body.ts';
import { type AppEnv, actorContext } from '../http/context.ts';
import { authenticate } from '../identity/authenticate.ts';
import { alarmView, findAlarm, listAlarms } from './alarms/alarms.ts';
import { alarmBody, alarmPatch } from './alarms/bodies.ts';
import { createAlarm } from './alarms/create-alarm.ts';
import { deleteAlarm } from './alarms/delete-alarm.ts';
import { updateAlarm } from './alarms/update-alarm.ts';
import { listProgress } from './list-progress.ts';
import { listRefusals, refusalsQuery } from './list-refusals.ts';
import { liveQuery } from './live/live-query.ts';
import { openLive } from './live/open-live.ts';
import { positionsOf } from './live/positions.ts';
import { operatorFigures } from './prometheus/operator-figures.ts';
import { EXPOSITION_TYPE, renderExposition } from './prometheus/render-exposition.ts';

/** `/aerostat/v1/metering`: how the metering of machines goes, live figures, and alarms on what is metered. */
export const meteringRoutes = new Hono<AppEnv>()
  .use(authenticate)
  .get('/refusals', async (c) =>
    c.json({ refusals: await listRefusals(actorContext(c), parseValue(c.req.query(), refusalsQuery)) }),
  )
  .get('/progress', async (c) => c.json({ progress: await listProgress(actorContext(c)) }))
  .get('/prometheus', async (c) =>
    c.text(renderExposition(await operatorFigures(actorContext(c))), 200, { 'content-type': EXPOSITION_TYPE }),
  )
  .get('/live', async (c) => {
    const { resource_id: ids, meter: meters = null } = parseValue(c.req.queries(), liveQuery);
    const last = c.req.header('last-event-id');
    const after = last ? positionsOf(last) : null;
    const stream = await openLive(actorContext(c), { ids, meters, after });
    return c.body(stream, 200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  })
  .get('/alarms', async (c) => c.json({ alarms: (await listAlarms(actorContext(c))).map(alarmView) }))
  .post('/alarms', async (c) => {
    const { alarm } = await parseBody(c, alarmBody);
    return c.json({ alarm: alarmView(await createAlarm(actorContext(c), alarm)) }, 201);
  })
  .get('/alarms/:id', async (c) =>
    c.json({ alarm: alarmView(await findAlarm(actorContext(c), 'metering:alarms:show', c.req.param('id'))) }),
  )
  .patch('/alarms/:id', async (c) => {
    const { alarm } = await parseBody(c, alarmPatch);
    return c.json({ alarm: alarmView(await updateAlarm(actorContext(c), c.req.param('id'), alarm)) });
  })
  .delete('/alarms/:id', async (c) => {
    await deleteAlarm(actorContext(c), c.req.param('id'));
    return c.body(null, 204);
  });
