import { z } from 'zod';
import { parseBody } from '../../http/body.ts';
import { type AppContext, actorContext } from '../../http/context.ts';
import { badRequest } from '../../http/errors.ts';
import { createValues, required } from '../api/attributes.ts';
import { resourceRoutes } from '../api/resource-routes.ts';
import { uuid } from '../api/values.ts';
import { poolAttributes, prefixes } from './attributes.ts';
import { addPrefixes, removePrefixes } from './change-prefixes.ts';
import { createPools } from './create-pools.ts';
import { deletePool } from './delete-pool.ts';
import { onboardSubnets } from './onboard-subnets.ts';
import { listPools, poolListing, poolView, showPool } from './pool-rows.ts';
import { updatePool } from './update-pool.ts';

/** What a member action sends; some clients put it under the resource's name. */
async function sent(c: AppContext): Promise<Record<string, unknown>> {
  const body = await parseBody(c, z.record(z.string(), z.unknown()));
  const inner = body.subnetpool;
  return inner !== null && typeof inner === 'object' ? (inner as Record<string, unknown>) : body;
}

async function sentPrefixes(c: AppContext): Promise<string[]> {
  const body = createValues({ prefixes: required(prefixes) }, await sent(c));
  if (body.prefixes.length === 0) throw badRequest('Request body contains invalid data');
  return body.prefixes;
}

/** `/subnetpools`: where subnets get their ranges from. */
export const subnetpoolRoutes = resourceRoutes({
  one: 'subnetpool',
  many: 'subnetpools',
  attributes: poolAttributes,
  listing: poolListing,
  view: poolView,
  list: listPools,
  show: showPool,
  create: createPools,
  update: updatePool,
  remove: deletePool,
})
  .put('/:id/add_prefixes', async (c) =>
    c.json({ prefixes: await addPrefixes(actorContext(c), c.req.param('id'), await sentPrefixes(c)) }),
  )
  .put('/:id/remove_prefixes', async (c) =>
    c.json({ prefixes: await removePrefixes(actorContext(c), c.req.param('id'), await sentPrefixes(c)) }),
  )
  .put('/:id/onboard_network_subnets', async (c) => {
    const { network_id: networkId } = createValues({ network_id: required(uuid) }, await sent(c));
    return c.json(await onboardSubnets(actorContext(c), { poolId: c.req.param('id'), networkId }));
  });
