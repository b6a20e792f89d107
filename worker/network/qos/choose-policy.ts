import { and, eq } from 'drizzle-orm';
import { qosPolicies } from '../../../db/schema/qos.ts';
import type { Statement } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { forbidden } from '../../http/errors.ts';
import { assertRevision } from '../api/races.ts';
import { visibleOf } from '../api/visibility.ts';
import { assertAccess } from '../rbac/assert-access.ts';
import { showQosPolicy } from './qos-rows.ts';

/**
 * Statements that let a batch give these policies to something: they must be there still, and the actor see them.
 * @throws ApiError 404 no such policy
 */
export async function usePolicies(ctx: ActorContext, ids: (string | null | undefined)[]): Promise<Statement[]> {
  const policies = await Promise.all([...new Set(ids.flatMap((id) => id ?? []))].map((id) => showQosPolicy(ctx, id)));
  return policies.flatMap((policy) => [
    assertRevision(ctx, 'qos_policies', policy),
    ...assertAccess(ctx, 'qos_policy', [policy]),
  ]);
}

/** @throws ApiError 403 where the actor would take away a policy that is not its own to give */
export async function refuseTaking(
  ctx: ActorContext,
  had: string | null,
  wanted: string | null | undefined,
): Promise<void> {
  if (had === null || wanted === undefined || wanted === had) return;
  const [row] = await ctx.db
    .select({ id: qosPolicies.id })
    .from(qosPolicies)
    .where(and(eq(qosPolicies.id, had), visibleOf(ctx, 'qos_policy')));
  if (row) return;
  throw forbidden(
    `Failed to remove provided policy ${had} because you are not authorized.`,
    'PolicyRemoveAuthorizationError',
  );
}

/** The default policies of projects, by project. */
export async function defaultPolicies(ctx: ActorContext): Promise<Map<string, string>> {
  const rows = await ctx.db
    .select({ id: qosPolicies.id, projectId: qosPolicies.projectId })
    .from(qosPolicies)
    .where(and(eq(qosPolicies.region, ctx.region), eq(qosPolicies.isDefault, true)));
  return new Map(rows.map((row) => [row.projectId, row.id]));
}
