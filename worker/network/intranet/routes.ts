import { Hono } from 'hono';
import { deniedQuery } from '../../../shared/specs/intranet.ts';
import { parseBody, parseValue } from '../../http/body.ts';
import { type AppEnv, actorContext } from '../../http/context.ts';
import { authenticate } from '../../identity/authenticate.ts';
import { answerList, answerShow } from '../api/collection.ts';
import { filterBody, prefixBody, prefixPatch, ruleBody, rulePatch } from './attributes.ts';
import { createPrefix } from './create-prefix.ts';
import { createRule } from './create-rule.ts';
import { deletePrefix } from './delete-prefix.ts';
import { deleteRule } from './delete-rule.ts';
import { listDenied } from './list-denied.ts';
import { listPrefixes, prefixListing, showPrefix } from './prefixes.ts';
import { listRules, ruleListing, showRule } from './rules.ts';
import { showFilter } from './show-filter.ts';
import { updateFilter } from './update-filter.ts';
import { updatePrefix } from './update-prefix.ts';
import { updateRule } from './update-rule.ts';
import { prefixView, type RuleRow, ruleView } from './views.ts';

/** `/aerostat/v1/intranet`: what guests must not reach, and who may all the same. */
export const intranetRoutes = new Hono<AppEnv>()
  .use(authenticate)
  .get('/', async (c) => c.json({ intranet: await showFilter(actorContext(c)) }))
  .put('/', async (c) => {
    const { intranet } = await parseBody(c, filterBody);
    return c.json({ intranet: await updateFilter(actorContext(c), intranet) });
  })
  .get('/prefixes', (c) => {
    const collection = { name: 'prefixes', listing: prefixListing, view: prefixView };
    return answerList(c, collection, (query) => listPrefixes(actorContext(c), query));
  })
  .post('/prefixes', async (c) => {
    const { prefix } = await parseBody(c, prefixBody);
    return c.json({ prefix: prefixView(await createPrefix(actorContext(c), prefix)) }, 201);
  })
  .get('/prefixes/:id', async (c) =>
    answerShow(c, 'prefix', prefixView(await showPrefix(actorContext(c), c.req.param('id')))),
  )
  .put('/prefixes/:id', async (c) => {
    const { prefix } = await parseBody(c, prefixPatch);
    return c.json({ prefix: prefixView(await updatePrefix(actorContext(c), c.req.param('id'), prefix)) });
  })
  .delete('/prefixes/:id', async (c) => {
    await deletePrefix(actorContext(c), c.req.param('id'));
    return c.body(null, 204);
  })
  .get('/denied', async (c) => {
    const of = parseValue(c.req.query(), deniedQuery.strict());
    return c.json(await listDenied(actorContext(c), of));
  })
  .get('/rules', (c) => {
    const nowMs = c.get('ctx').clock.nowMs();
    const view = (row: RuleRow) => ruleView(row, nowMs);
    const collection = { name: 'rules', listing: ruleListing(nowMs), view };
    return answerList(c, collection, (query) => listRules(actorContext(c), query));
  })
  .post('/rules', async (c) => {
    const ctx = actorContext(c);
    const { rule } = await parseBody(c, ruleBody);
    return c.json({ rule: ruleView(await createRule(ctx, rule), ctx.clock.nowMs()) }, 201);
  })
  .get('/rules/:id', async (c) => {
    const ctx = actorContext(c);
    return answerShow(c, 'rule', ruleView(await showRule(ctx, c.req.param('id')), ctx.clock.nowMs()));
  })
  .put('/rules/:id', async (c) => {
    const ctx = actorContext(c);
    const { rule } = await parseBody(c, rulePatch);
    return c.json({ rule: ruleView(await updateRule(ctx, c.req.param('id'), rule), ctx.clock.nowMs()) });
  })
  .delete('/rules/:id', async (c) => {
    await deleteRule(actorContext(c), c.req.param('id'));
    return c.body(null, 204);
  });
