import { Hono } from 'hono';
import { type AppEnv, actorContext } from '../../http/context.ts';
import { conflict } from '../../http/errors.ts';
import { unset, updateValues } from '../api/attributes.ts';
import { updateBody } from '../api/body.ts';
import { answerList, answerShow } from '../api/collection.ts';
import { boolean, DESCRIPTION_LENGTH_MAX, nullOr, text } from '../api/values.ts';
import { enforce } from '../policy.ts';
import { agentListing, agentView, listAgents, showAgent } from './agent-rows.ts';
import { updateAgent } from './update-agent.ts';

/** The attributes of an agent, as PUT takes them. */
export const agentAttributes = {
  admin_state_up: unset(boolean),
  description: unset(nullOr(text(DESCRIPTION_LENGTH_MAX))),
} as const;

/** `/agents`: the runners. */
export const agentRoutes = new Hono<AppEnv>()
  .get('/', (c) => {
    const ctx = actorContext(c);
    const collection = { name: 'agents', listing: agentListing, view: agentView.bind(null, ctx) };
    return answerList(c, collection, (query) => listAgents(ctx, query));
  })
  .get('/:id', async (c) => {
    const ctx = actorContext(c);
    return answerShow(c, 'agent', agentView(ctx, await showAgent(ctx, c.req.param('id'))));
  })
  .put('/:id', async (c) => {
    const ctx = actorContext(c);
    const changes = updateValues(agentAttributes, await updateBody(c, 'agent'));
    return c.json({ agent: agentView(ctx, await updateAgent(ctx, { id: c.req.param('id'), changes })) });
  })
  .delete('/:id', async (c) => {
    const ctx = actorContext(c);
    const { id } = await showAgent(ctx, c.req.param('id'));
    enforce(ctx, 'delete_agent');
    throw conflict(`Agent ${id} is a runner: it leaves by DELETE /aerostat/v1/runners/${id}.`);
  });
