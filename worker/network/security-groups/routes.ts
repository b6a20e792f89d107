import { Hono } from 'hono';
import { type AppEnv, actorContext } from '../../http/context.ts';
import { createValues, updateValues } from '../api/attributes.ts';
import { createBody, updateBody, withOwner } from '../api/body.ts';
import { answerCreated, answerList, answerShow, refuseBody } from '../api/collection.ts';
import { expectedRevision } from '../api/races.ts';
import { groupAttributes, ruleAttributes } from './attributes.ts';
import { createGroups } from './create-groups.ts';
import { createRules } from './create-rules.ts';
import { deleteGroup } from './delete-group.ts';
import { deleteRule } from './delete-rule.ts';
import { groupListing, groupView, ruleListing, ruleView } from './group-rows.ts';
import { listGroups, listRules } from './list-groups.ts';
import { showGroup, showRule } from './show-group.ts';
import { updateGroup } from './update-group.ts';
import { updateRule } from './update-rule.ts';

export const securityGroupRoutes = new Hono<AppEnv>()
  .get('/', (c) => {
    const collection = { name: 'security_groups', listing: groupListing, view: groupView };
    return answerList(c, collection, (query) => listGroups(actorContext(c), query));
  })
  .post('/', async (c) => {
    const ctx = actorContext(c);
    const { bulk, items } = await createBody(c, 'security_group', 'security_groups');
    const inputs = items.map((item) => {
      const { sent, projectId } = withOwner(ctx, item);
      return { ...createValues(groupAttributes, sent), projectId };
    });
    const rows = await createGroups(ctx, inputs);
    return answerCreated(c, { one: 'security_group', many: 'security_groups' }, bulk, rows.map(groupView));
  })
  .get('/:id', async (c) =>
    answerShow(c, 'security_group', groupView(await showGroup(actorContext(c), c.req.param('id')))),
  )
  .put('/:id', async (c) => {
    const changes = updateValues(groupAttributes, await updateBody(c, 'security_group'));
    const input = { id: c.req.param('id'), changes, expectedRevision: expectedRevision(c) };
    return c.json({ security_group: groupView(await updateGroup(actorContext(c), input)) });
  })
  .delete('/:id', async (c) => {
    await refuseBody(c);
    await deleteGroup(actorContext(c), { id: c.req.param('id'), expectedRevision: expectedRevision(c) });
    return c.body(null, 204);
  });

export const securityGroupRuleRoutes = new Hono<AppEnv>()
  .get('/', (c) => {
    const collection = { name: 'security_group_rules', listing: ruleListing, view: ruleView };
    return answerList(c, collection, (query) => listRules(actorContext(c), query));
  })
  .post('/', async (c) => {
    const ctx = actorContext(c);
    const { bulk, items } = await createBody(c, 'security_group_rule', 'security_group_rules');
    const inputs = items.map((item) => {
      const { sent, projectId } = withOwner(ctx, item);
      return { ...createValues(ruleAttributes, sent), projectId };
    });
    const rows = await createRules(ctx, inputs);
    return answerCreated(c, { one: 'security_group_rule', many: 'security_group_rules' }, bulk, rows.map(ruleView));
  })
  .get('/:id', async (c) =>
    answerShow(c, 'security_group_rule', ruleView(await showRule(actorContext(c), c.req.param('id')))),
  )
  .put('/:id', async (c) => {
    const changes = updateValues(ruleAttributes, await updateBody(c, 'security_group_rule'));
    const row = await updateRule(actorContext(c), { id: c.req.param('id'), changes });
    return c.json({ security_group_rule: ruleView(row) });
  })
  .delete('/:id', async (c) => {
    await refuseBody(c);
    await deleteRule(actorContext(c), c.req.param('id'));
    return c.body(null, 204);
  });
