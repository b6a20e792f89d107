import { Hono } from 'hono';
import { type AppContext, type AppEnv, actorContext } from '../../http/context.ts';
import { type Attributes, createValues, updateValues } from '../api/attributes.ts';
import { createBody, updateBody } from '../api/body.ts';
import { answerShow, refuseBody } from '../api/collection.ts';
import { resourceRoutes } from '../api/resource-routes.ts';
import { bandwidthLimitAttributes, dscpMarkingAttributes, qosPolicyAttributes } from './attributes.ts';
import { createQosPolicies } from './create-qos-policies.ts';
import { deleteQosPolicy } from './delete-qos-policy.ts';
import {
  listQosPolicies,
  type QosRuleType,
  qosPolicyListing,
  qosPolicyView,
  ruleView,
  showQosPolicy,
} from './qos-rows.ts';
import {
  createQosRule,
  deleteQosRule,
  listQosRules,
  type QosRuleValues,
  showQosRule,
  updateQosRule,
} from './qos-rules.ts';
import { ruleTypeRoutes } from './rule-types.ts';
import { updateQosPolicy } from './update-qos-policy.ts';

const valuesOf = (sent: Record<string, unknown>): QosRuleValues => {
  const names = { max_kbps: 'maxKbps', max_burst_kbps: 'maxBurstKbits', direction: 'direction', dscp_mark: 'dscpMark' };
  const pairs = Object.entries(names).map(([name, column]) => [column, sent[name]] as const);
  return Object.fromEntries(pairs.filter(([, value]) => value !== undefined)) as QosRuleValues;
};

/** The rules of one type, below their policy. */
function ruleRoutes(type: QosRuleType, attributes: Attributes): Hono<AppEnv> {
  const one = `${type}_rule`;
  const place = (c: AppContext) => ({ type, policyId: c.req.param('policy') ?? '', id: c.req.param('id') ?? '' });
  return new Hono<AppEnv>()
    .get('/', async (c) => {
      const rules = await listQosRules(actorContext(c), place(c));
      return c.json({ [`${one}s`]: rules.map(ruleView) });
    })
    .post('/', async (c) => {
      const { items } = await createBody(c, one, `${one}s`);
      const sent = createValues(attributes, items[0] ?? {});
      const { policyId } = place(c);
      return c.json({ [one]: ruleView(await createQosRule(actorContext(c), { policyId, type }, valuesOf(sent))) }, 201);
    })
    .get('/:id', async (c) => answerShow(c, one, ruleView(await showQosRule(actorContext(c), place(c)))))
    .put('/:id', async (c) => {
      const sent = updateValues(attributes, await updateBody(c, one));
      return c.json({ [one]: ruleView(await updateQosRule(actorContext(c), place(c), valuesOf(sent))) });
    })
    .delete('/:id', async (c) => {
      await refuseBody(c);
      await deleteQosRule(actorContext(c), place(c));
      return c.body(null, 204);
    });
}

const policies = resourceRoutes({
  one: 'policy',
  many: 'policies',
  attributes: qosPolicyAttributes,
  listing: qosPolicyListing,
  view: qosPolicyView,
  list: listQosPolicies,
  show: showQosPolicy,
  create: createQosPolicies,
  update: updateQosPolicy,
  remove: deleteQosPolicy,
});

/** `/qos`: how much ports may send and receive, and how it is marked. */
export const qosRoutes = new Hono<AppEnv>()
  .route('/rule-types', ruleTypeRoutes)
  .route('/policies/:policy/bandwidth_limit_rules', ruleRoutes('bandwidth_limit', bandwidthLimitAttributes))
  .route('/policies/:policy/dscp_marking_rules', ruleRoutes('dscp_marking', dscpMarkingAttributes))
  .route('/policies', policies);
