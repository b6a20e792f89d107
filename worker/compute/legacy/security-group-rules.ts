import { Hono } from 'hono';
import { z } from 'zod';
import { badRequest } from '../../http/errors.ts';
import { requireProject } from '../../http/policy.ts';
import { createValues } from '../../network/api/attributes.ts';
import { ruleAttributes } from '../../network/security-groups/attributes.ts';
import { createRules } from '../../network/security-groups/create-rules.ts';
import { deleteRule } from '../../network/security-groups/delete-rule.ts';
import type { RuleWithGroup } from '../../network/security-groups/group-rows.ts';
import { showGroup } from '../../network/security-groups/show-group.ts';
import { actorOf, type ComputeEnv } from '../http/env.ts';
import { uuid } from '../http/parameters.ts';
import { check, checkedBody } from '../http/validate.ts';
import { asNova, untilProxiesEnd } from './network-faults.ts';
import { securityGroupRuleView } from './security-group-view.ts';

/** `/os-security-group-rules`: rules that let something in, as Nova took them until 2.35. */
export const securityGroupRuleRoutes = new Hono<ComputeEnv>();
securityGroupRuleRoutes.use(untilProxiesEnd);

const port = z.union([z.int(), z.string().regex(/^-?\d+$/)]).transform(Number);
export const ruleBody = z.strictObject({
  security_group_rule: z.strictObject({
    parent_group_id: z.string(),
    ip_protocol: z.union([z.string(), z.int()]).transform(String).nullish(),
    from_port: port.nullish(),
    to_port: port.nullish(),
    cidr: z.string().nullish(),
    group_id: z.string().nullish(),
  }),
});
type RuleInput = z.infer<typeof ruleBody>['security_group_rule'];

/** A rule as networking takes it: -1 is any port. @throws ApiError 400 too little for a rule, or ports that are none */
function networkRule(input: RuleInput): Record<string, unknown> {
  const { group_id: groupId, from_port: from = null, to_port: to = null } = input;
  const protocol = input.ip_protocol?.toLowerCase() ?? null;
  // Only a rule about a group may leave out what passes.
  const whole = protocol !== null && from !== null && to !== null;
  if (!whole && !(groupId && protocol === null && from === null && to === null)) {
    throw badRequest('Not enough parameters to build a valid rule.');
  }
  if ((protocol === 'tcp' || protocol === 'udp') && ((from ?? 0) < 1 || (to ?? 0) < 1)) {
    throw badRequest(`Invalid port range ${from}:${to}. Valid TCP ports should be between 1-65535`);
  }
  const cidr = input.cidr || '0.0.0.0/0';
  return {
    security_group_id: check(input.parent_group_id, uuid),
    direction: 'ingress',
    ethertype: !groupId && cidr.includes(':') ? 'IPv6' : 'IPv4',
    protocol,
    port_range_min: from === -1 ? null : from,
    port_range_max: to === -1 ? null : to,
    ...(groupId ? { remote_group_id: check(groupId, uuid) } : { remote_ip_prefix: cidr }),
  };
}

securityGroupRuleRoutes.post('/', async (c) => {
  const ctx = requireProject(actorOf(c));
  const sent = networkRule((await checkedBody(c, ruleBody)).security_group_rule);
  const [rule] = await asNova(async () =>
    createRules(ctx, [{ ...createValues(ruleAttributes, sent), projectId: ctx.actor.projectId }]),
  );
  const made = rule as RuleWithGroup;
  const groups = made.remoteGroupId === null ? [] : [await showGroup(ctx, made.remoteGroupId)];
  return c.json({ security_group_rule: securityGroupRuleView(made, groups) });
});

securityGroupRuleRoutes.delete('/:id', async (c) => {
  const id = uuid.safeParse(c.req.param('id'));
  if (!id.success) throw badRequest('Rule id should be uuid.');
  await asNova(() => deleteRule(actorOf(c), id.data));
  return c.body(null, 202);
});
