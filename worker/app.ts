import { Hono } from 'hono';
import { systemClock } from '../shared/clock.ts';
import { newRequestId, randomIds } from '../shared/ids.ts';
import { rating } from './billing/cloudkitty/routes.ts';
import { consoleViewers } from './compute/consoles/viewer-routes.ts';
import { compute } from './compute/routes.ts';
import { fleet } from './fleet/routes.ts';
import type { AppEnv } from './http/context.ts';
import { drainBody } from './http/drain-body.ts';
import { addressOf, makeContext } from './http/make-context.ts';
import { identity } from './identity/routes.ts';
import { image } from './image/routes.ts';
import { metric } from './metering/gnocchi/routes.ts';
import { network } from './network/routes.ts';
import { webhooks } from './webhooks/routes.ts';

/** All services under the paths that the catalog names. */
const services = new Hono<AppEnv>()
  .route('/identity', identity)
  .route('/compute', compute)
  .route('/image', image)
  .route('/networking', network)
  .route('/metric', metric)
  .route('/rating', rating)
  .route('/aerostat/v1/consoles', consoleViewers)
  .route('/aerostat/v1/webhooks', webhooks)
  .route('/aerostat/v1', fleet);

/**
 * The whole API. A region prefix only changes the context: the services see the same paths with and without it.
 * `/` and unknown paths answer with the list of services.
 */
export const app = new Hono<AppEnv>({ strict: false });

app.use(async (c, next) => {
  const requestId = newRequestId(randomIds);
  c.set(
    'ctx',
    makeContext(c.env, {
      clock: systemClock,
      ids: randomIds,
      requestId,
      ...addressOf(c.env, c.req.url),
      waitUntil: (promise) => c.executionCtx.waitUntil(promise),
    }),
  );
  await next();
  // The answer that opens a socket is not ours to change.
  if (c.res.status !== 101) c.res.headers.set('x-openstack-request-id', requestId);
});
app.use(drainBody);
app.route('/', services);
app.route('/r/:region{[A-Za-z0-9_-]+}', services);
app.get('/', (c) =>
  c.json({
    name: 'Aerostat',
    services: ['identity', 'compute', 'image', 'networking', 'metric', 'rating', 'aerostat/v1'].map((path) => ({
      path: `/${path}`,
    })),
  }),
);
app.onError((error, c) => {
  console.error(
    JSON.stringify({ level: 'error', event: 'unhandled', url: c.req.path, error: error.stack ?? String(error) }),
  );
  return c.json(
    { error: { code: 500, title: 'Internal Server Error', message: 'An unexpected error occurred.' } },
    500,
  );
});
app.notFound((c) =>
  c.json(
    {
      error: {
        code: 404,
        title: 'Not Found',
        message: `No service answers ${new URL(c.req.url).pathname}. GET / lists them.`,
      },
    },
    404,
  ),
);
