import { and, eq, sql } from 'drizzle-orm';
import { qosPolicies, qosRules } from '../../../db/schema/qos.ts';
import { ConstraintFailed, commit, type Statement } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { conflict, notFound } from '../../http/errors.ts';
import { assertRevision, whileRacing } from '../api/races.ts';
import { enforce } from '../policy.ts';
import { onGovernedPorts } from './bound-ports.ts';
import { type QosPolicyRow, type QosRule, type QosRuleType, showQosPolicy } from './qos-rows.ts';

/** What of a rule a client says. */
export type QosRuleValues = Partial<Pick<QosRule, 'direction' | 'maxKbps' | 'maxBurstKbits' | 'dscpMark'>>;

interface Place {
  policyId: string;
  type: QosRuleType;
}

/** A policy's rules of a type. @throws ApiError 404 no such policy */
export async function listQosRules(ctx: ActorContext, { policyId, type }: Place): Promise<QosRule[]> {
  const policy = await showQosPolicy(ctx, policyId);
  return policy.rules.filter((rule) => rule.type === type);
}

/** One rule. @throws ApiError 404 no such policy, or no such rule of it */
export async function showQosRule(ctx: ActorContext, place: Place & { id: string }): Promise<QosRule> {
  return ruleOf(await showQosPolicy(ctx, place.policyId), place);
}

function ruleOf(policy: QosPolicyRow, { id, type }: Place & { id: string }): QosRule {
  const rule = policy.rules.find((one) => one.id === id && one.type === type);
  if (!rule) throw notFound(`QoS rule ${id} for policy ${policy.id} could not be found.`, 'QosRuleNotFound');
  return rule;
}

/** Adds a rule to a policy, and to the hosts. @throws ApiError 403, 404 no such policy, 409 one of the type and direction is there */
export async function createQosRule(ctx: ActorContext, place: Place, values: QosRuleValues): Promise<QosRule> {
  enforce(ctx, 'create_policy_rule');
  const id = ctx.ids.uuid();
  return change(ctx, place, 'create_policy_rule', () => ({
    id,
    statement: ctx.db.insert(qosRules).values({ id, ...place, ...values }),
  }));
}

/** Changes a rule, and what hosts do by it. @throws ApiError 403, 404, 409 another one has the direction */
export function updateQosRule(
  ctx: ActorContext,
  place: Place & { id: string },
  values: QosRuleValues,
): Promise<QosRule> {
  return change(ctx, place, 'update_policy_rule', (policy) => {
    const { id } = ruleOf(policy, place);
    const nothing = Object.keys(values).length === 0;
    return {
      id,
      statement: ctx.db
        .update(qosRules)
        .set(nothing ? { policyId: policy.id } : values)
        .where(eq(qosRules.id, id)),
    };
  });
}

/** Takes a rule from a policy, and from the hosts. @throws ApiError 403, 404 */
export async function deleteQosRule(ctx: ActorContext, place: Place & { id: string }): Promise<void> {
  await change(ctx, place, 'delete_policy_rule', (policy) => {
    const { id } = ruleOf(policy, place);
    return { id, statement: ctx.db.delete(qosRules).where(eq(qosRules.id, id)) };
  });
}

function change(
  ctx: ActorContext,
  { policyId, type }: Place,
  action: 'create_policy_rule' | 'update_policy_rule' | 'delete_policy_rule',
  plan: (policy: QosPolicyRow) => { id: string; statement: Statement },
): Promise<QosRule> {
  return whileRacing(async () => {
    const policy = await showQosPolicy(ctx, policyId);
    enforce(ctx, action, { projectId: policy.projectId });
    const { id, statement } = plan(policy);
    const { touches, statements } = onGovernedPorts(ctx, policyId);
    const results = await commit(ctx, {
      audit: { action, targetType: 'qos_policy', targetId: policyId, detail: { rule: id } },
      touches,
      statements: [
        assertRevision(ctx, 'qos_policies', policy),
        statement,
        ctx.db
          .update(qosPolicies)
          .set({ revision: sql`revision + 1`, updatedAtMs: ctx.clock.nowMs() })
          .where(eq(qosPolicies.id, policyId)),
        ...statements,
        ctx.db
          .select()
          .from(qosRules)
          .where(and(eq(qosRules.id, id))),
      ],
    }).catch((error: unknown) => {
      throw ruleConflict(error, policy, type) ?? error;
    });
    return (results.at(-1) as QosRule[])[0] ?? ({ id } as QosRule);
  });
}

function ruleConflict(error: unknown, policy: QosPolicyRow, type: QosRuleType): Error | undefined {
  if (!(error instanceof ConstraintFailed) || !error.constraint.includes('qos_rules.')) return undefined;
  const other = policy.rules.find((rule) => rule.type === type);
  return conflict(
    `Rule ${type} conflicts with rule ${other?.id ?? ''} which already exists in QoS Policy ${policy.id}.`,
    'QoSRulesConflict',
  );
}
