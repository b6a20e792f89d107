import { eq } from 'drizzle-orm';
import { runners } from '../../../db/schema/fleet.ts';
import { commit } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { enforce } from '../policy.ts';
import { type RunnerRow, showAgent } from './agent-rows.ts';

export interface AgentUpdate {
  id: string;
  changes: { admin_state_up?: boolean | undefined; description?: string | null | undefined };
}

/** Lets a runner have new guests or not, and says why. @throws ApiError 403, 404 not seen */
export async function updateAgent(ctx: ActorContext, { id, changes }: AgentUpdate): Promise<RunnerRow> {
  const row = await showAgent(ctx, id);
  enforce(ctx, 'update_agent');
  const up = row.state === 'enabled';
  const state = changes.admin_state_up ? ('enabled' as const) : ('disabled' as const);
  const change = {
    // One that drains stays so until it is enabled.
    state: changes.admin_state_up === undefined || changes.admin_state_up === up ? row.state : state,
    stateReason: changes.description === undefined ? row.stateReason : changes.description,
    updatedAtMs: ctx.clock.nowMs(),
  };
  await commit(ctx, {
    audit: { action: 'update_agent', targetType: 'runner', targetId: id, detail: { ...changes } },
    statements: [ctx.db.update(runners).set(change).where(eq(runners.id, id))],
  });
  return { ...row, ...change };
}
