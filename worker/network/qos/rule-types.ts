import { Hono } from 'hono';
import { type AppEnv, actorContext } from '../../http/context.ts';
import { notFound } from '../../http/errors.ts';
import { enforce } from '../policy.ts';
import { DIRECTIONS, DSCP_MARKS, RATE_MAX } from './attributes.ts';
import type { QosRuleType } from './qos-rows.ts';

/** What Neutron calls that which keeps rules: here all hosts do it alike. */
const DRIVER = 'aerostat';

const rate = (name: string) => ({
  parameter_name: name,
  parameter_type: 'range',
  parameter_values: { start: 0, end: RATE_MAX },
});
const choice = (name: string, values: readonly unknown[]) => ({
  parameter_name: name,
  parameter_type: 'choices',
  parameter_values: values,
});

/** What hosts can do. */
const RULE_TYPES: Readonly<Record<QosRuleType, object[]>> = {
  bandwidth_limit: [rate('max_kbps'), rate('max_burst_kbps'), choice('direction', DIRECTIONS)],
  dscp_marking: [choice('dscp_mark', DSCP_MARKS)],
};

/** `/qos/rule-types`: which rules there are, and what they take. */
export const ruleTypeRoutes = new Hono<AppEnv>()
  .get('/', (c) => {
    enforce(actorContext(c), 'get_rule_type');
    return c.json({ rule_types: Object.keys(RULE_TYPES).map((type) => ({ type })) });
  })
  .get('/:type', (c) => {
    enforce(actorContext(c), 'get_rule_type:details');
    const type = c.req.param('type');
    const [, supported_parameters] = Object.entries(RULE_TYPES).find(([one]) => one === type) ?? [];
    if (!supported_parameters) {
      throw notFound(`Rule type ${type.slice(0, 64)} could not be found.`, 'QosRuleTypeNotFound');
    }
    return c.json({ rule_type: { type, drivers: [{ name: DRIVER, supported_parameters }] } });
  });
