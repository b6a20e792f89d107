import { eq, sql } from 'drizzle-orm';
import { qosPolicies } from '../../../db/schema/qos.ts';
import { AssertionFailed, assertThat, commit } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { conflict } from '../../http/errors.ts';
import { checkRevision } from '../api/races.ts';
import type { Removal } from '../api/resource-routes.ts';
import { enforce } from '../policy.ts';
import { dropPolicies } from '../rbac/drop-policies.ts';
import { showQosPolicy } from './qos-rows.ts';

/** What can have a policy, with its table. */
const USERS = { network: 'networks', port: 'ports', floatingip: 'floating_ips' } as const;

/** Removes a policy with its rules. @throws ApiError 403, 404 not seen, 409 in use, 412 another revision */
export async function deleteQosPolicy(ctx: ActorContext, { id, expectedRevision }: Removal): Promise<void> {
  const row = await showQosPolicy(ctx, id);
  enforce(ctx, 'delete_policy', { projectId: row.projectId });
  checkRevision(expectedRevision, row);
  await commit(ctx, {
    audit: { action: 'delete_policy', targetType: 'qos_policy', targetId: id },
    statements: [
      ...Object.entries(USERS).map(([kind, table]) =>
        assertThat(ctx.db, kind, sql`NOT EXISTS (SELECT 1 FROM ${sql.identifier(table)} WHERE qos_policy_id = ${id})`),
      ),
      dropPolicies(ctx, id),
      ctx.db.delete(qosPolicies).where(eq(qosPolicies.id, id)),
    ],
  }).catch(async (error: unknown) => {
    throw (await inUse(ctx, id, error)) ?? error;
  });
}

async function inUse(ctx: ActorContext, id: string, error: unknown): Promise<Error | undefined> {
  const kind = error instanceof AssertionFailed ? error.assertion : '';
  if (!Object.hasOwn(USERS, kind)) return undefined;
  const table = sql.identifier(USERS[kind as keyof typeof USERS]);
  const [user] = await ctx.db.all<{ id: string }>(sql`SELECT id FROM ${table} WHERE qos_policy_id = ${id} LIMIT 1`);
  return conflict(`QoS Policy ${id} is used by ${kind} ${user?.id ?? ''}.`, 'QosPolicyInUse');
}
