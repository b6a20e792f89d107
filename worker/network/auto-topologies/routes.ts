import { Hono } from 'hono';
import { type AppEnv, actorContext } from '../../http/context.ts';
import { refuseBody } from '../api/collection.ts';
import { deleteTopology } from './delete-topology.ts';
import { showTopology } from './show-topology.ts';

/** `/auto-allocated-topology`: a network for who has none, with a way outside. */
export const autoTopologyRoutes = new Hono<AppEnv>()
  .get('/:project', async (c) => {
    const fields = c.req.queries('fields') ?? [];
    return c.json({ auto_allocated_topology: await showTopology(actorContext(c), c.req.param('project'), fields) });
  })
  .delete('/:project', async (c) => {
    await refuseBody(c);
    await deleteTopology(actorContext(c), c.req.param('project'));
    return c.body(null, 204);
  });
