import { expect, it } from 'vitest';
import { systemTimers } from '../../shared/clock.ts';
import { plannedDatabase } from '../../test/edge-plans.ts';
import { webhookStage } from '../../test/edge-webhooks.ts';
import { parseListQuery } from '../network/api/listing.ts';
import { replayBody } from './bodies.ts';
import { endClaims } from './claim-deliveries.ts';
import { deleteEndpoint } from './delete-endpoint.ts';
import { deliveryListing, listDeliveries, showDelivery } from './deliveries.ts';
import { AWAY_MS } from './limits.ts';
import { eventListing, listEvents } from './list-events.ts';
import { replayDelivery, replayRange } from './replay.ts';
import { sendDue } from './send-due.ts';
import { testEndpoint } from './test-endpoint.ts';
import { updateEndpoint } from './update-endpoint.ts';
import { webhookRound } from './webhook-round.ts';

/** A stage with an endpoint that something waits for, and a database that tells how it reads. */
async function plannedStage() {
  const one = webhookStage();
  const { id } = await one.create();
  await one.tell('r', 3);
  const { db, plans } = plannedDatabase();
  const [ctx, admin] = [one.ctx, one.admin].map((each) => ({ ...each, db })) as [typeof one.ctx, typeof one.admin];
  const [first] = await one.deliveries(id);
  const page = (of: Record<string, string> = {}) => new URLSearchParams({ limit: '20', ...of });
  /** Each call of very many rows: all of an endpoint's, or of the region's. */
  const calls: Record<string, () => Promise<unknown>> = {
    async send() {
      await one.box.put({ always: { status: 500 } });
      await sendDue(ctx, id, systemTimers);
      one.clock.ms += 2 * AWAY_MS;
      await one.box.put({ always: null });
      await sendDue(ctx, id, systemTimers);
    },
    endClaims: () => endClaims(ctx, id),
    list: () => listDeliveries(ctx, id, parseListQuery(deliveryListing, page())),
    listFailed: () => listDeliveries(ctx, id, parseListQuery(deliveryListing, page({ status: 'failed' }))),
    listEvents: () => listEvents(ctx, parseListQuery(eventListing, page())),
    listAllEvents: () => listEvents(admin, parseListQuery(eventListing, page())),
    show: () => showDelivery(ctx, first?.id ?? ''),
    replayOne: () => replayDelivery(ctx, first?.id ?? ''),
    replay: () =>
      replayRange(ctx, id, replayBody.parse({ replay: { since: '2020-01-01T00:00:00Z', delivered: true } }).replay),
    test: () => testEndpoint(ctx, id),
    round: () => webhookRound(ctx),
    disable: () => updateEndpoint(ctx, id, { enabled: false }),
    remove: () => deleteEndpoint(ctx, id),
  };
  return { calls, plans };
}

/** It reads a whole table, or sorts what it found before it takes the first. */
const WHOLE = /SCAN (?:webhook_|events?\b|waiting|endpoint|sent)|USE TEMP B-TREE/;
/** Of a few rows, that can be sorted: an endpoint's secrets, and what one sender claimed. */
const FEW = /from "webhook_secrets"|"claim" = \?/;
/** It reads all that an endpoint ever had, or all that waits for it. */
const ALL_OF_ONE =
  /(?:webhook_deliveries|waiting|sent) USING .*INDEX webhook_deliveries_(?!tests)\w+ \(endpoint_id=\?(?: AND status=\?)?\)/;
/** A page in the order of an index, or so much of what goes. */
const SOME = /^\s*(?:select|DELETE)[\s\S]*(?:limit \?|LIMIT \?\)|NOT EXISTS)/;

it('reads no more than it needs, whatever there is', async () => {
  const { calls, plans } = await plannedStage();
  let read = 0;
  for (const [name, call] of Object.entries(calls)) {
    await call();
    for (const { text, plan } of await plans()) {
      read += 1;
      if (!FEW.test(text)) expect(plan, `${name}: ${text}`).not.toMatch(WHOLE);
      if (!SOME.test(text)) expect(plan, `${name}: ${text}`).not.toMatch(ALL_OF_ONE);
    }
  }
  expect(read).toBeGreaterThan(50);
});
