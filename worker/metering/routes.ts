import { Hono } from 'hono';
import { parseValue } from '../http/body.ts';
import { type AppEnv, actorContext } from '../http/context.ts';
import { authenticate } from '../identity/authenticate.ts';
import { listProgress } from './list-progress.ts';
import { listRefusals, refusalsQuery } from './list-refusals.ts';
import { operatorFigures } from './prometheus/operator-figures.ts';
import { EXPOSITION_TYPE, renderExposition } from './prometheus/render-exposition.ts';

/** `/aerostat/v1/metering`: how the metering of machines goes. */
export const meteringRoutes = new Hono<AppEnv>()
  .use(authenticate)
  .get('/refusals', async (c) =>
    c.json({ refusals: await listRefusals(actorContext(c), parseValue(c.req.query(), refusalsQuery)) }),
  )
  .get('/progress', async (c) => c.json({ progress: await listProgress(actorContext(c)) }))
  .get('/prometheus', async (c) =>
    c.text(renderExposition(await operatorFigures(actorContext(c))), 200, { 'content-type': EXPOSITION_TYPE }),
  );
