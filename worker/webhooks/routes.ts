import { Hono } from 'hono';
import { renderFault } from '../fleet/faults.ts';
import { parseBody } from '../http/body.ts';
import { type AppEnv, actorContext } from '../http/context.ts';
import { notFound } from '../http/errors.ts';
import { refuseNul } from '../http/refuse-nul.ts';
import { authenticate } from '../identity/authenticate.ts';
import { answerList, answerShow } from '../network/api/collection.ts';
import { endpointBody, endpointPatch, replayBody, rotateBody } from './bodies.ts';
import { createEndpoint } from './create-endpoint.ts';
import { deleteEndpoint } from './delete-endpoint.ts';
import { deliveryListing, listDeliveries, showDelivery } from './deliveries.ts';
import { endpointListing, listEndpoints, showEndpoint } from './endpoints.ts';
import { eventTypesView, openapi } from './event-catalog.ts';
import { eventListing, listEvents, listedEventView } from './list-events.ts';
import { replayDelivery, replayRange } from './replay.ts';
import { rotateSecret } from './rotate-secret.ts';
import { testEndpoint } from './test-endpoint.ts';
import { updateEndpoint } from './update-endpoint.ts';
import { deliveryDetailView, deliveryView, endpointView } from './views.ts';

/** `/aerostat/v1/webhooks`: who is told of events, and what came of telling them. */
export const webhooks = new Hono<AppEnv>();

webhooks.onError((error, c) => renderFault(error, c));
webhooks
  .use(refuseNul)
  .use(authenticate)
  .get('/openapi.json', (c) => c.json(openapi(actorContext(c))))
  .get('/event-types', (c) => c.json({ event_types: eventTypesView(actorContext(c)) }))
  .get('/events', (c) => {
    const collection = { name: 'events', listing: eventListing, view: listedEventView };
    return answerList(c, collection, (query) => listEvents(actorContext(c), query));
  })
  .get('/endpoints', (c) => {
    const collection = { name: 'endpoints', listing: endpointListing, view: endpointView };
    return answerList(c, collection, (query) => listEndpoints(actorContext(c), query));
  })
  .post('/endpoints', async (c) => {
    const { endpoint } = await parseBody(c, endpointBody);
    return c.json({ endpoint: await createEndpoint(actorContext(c), endpoint) }, 201);
  })
  .get('/endpoints/:id', async (c) =>
    answerShow(c, 'endpoint', endpointView(await showEndpoint(actorContext(c), c.req.param('id')))),
  )
  .patch('/endpoints/:id', async (c) => {
    const { endpoint } = await parseBody(c, endpointPatch);
    return c.json({ endpoint: endpointView(await updateEndpoint(actorContext(c), c.req.param('id'), endpoint)) });
  })
  .delete('/endpoints/:id', async (c) => {
    await deleteEndpoint(actorContext(c), c.req.param('id'));
    return c.body(null, 204);
  })
  .post('/endpoints/:id/rotate', async (c) => {
    const { secret } = await parseBody(c, rotateBody);
    return c.json({ secret: await rotateSecret(actorContext(c), c.req.param('id'), secret) }, 201);
  })
  .post('/endpoints/:id/test', async (c) => {
    await testEndpoint(actorContext(c), c.req.param('id'));
    return c.body(null, 202);
  })
  .post('/endpoints/:id/replay', async (c) => {
    const { replay } = await parseBody(c, replayBody);
    return c.json({ replay: await replayRange(actorContext(c), c.req.param('id'), replay) }, 202);
  })
  .get('/endpoints/:id/deliveries', (c) => {
    const collection = { name: 'deliveries', listing: deliveryListing, view: deliveryView };
    return answerList(c, collection, (query) => listDeliveries(actorContext(c), c.req.param('id'), query));
  })
  .get('/deliveries/:id', async (c) =>
    answerShow(c, 'delivery', deliveryDetailView(await showDelivery(actorContext(c), c.req.param('id')))),
  )
  .post('/deliveries/:id/replay', async (c) => {
    await replayDelivery(actorContext(c), c.req.param('id'));
    return c.body(null, 202);
  })
  .all('*', (c) => {
    throw notFound(`${c.req.method} ${c.req.path} is not known here.`);
  });
