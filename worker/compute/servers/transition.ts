import { type SQL, sql } from 'drizzle-orm';
import { whileAffordable } from '../../billing/admission/while-affordable.ts';
import { assertThat, type Statement } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { conflict } from '../../http/errors.ts';
import { authorize, isAdmin } from '../../http/policy.ts';
import { commitOr, type Refusals } from '../http/commit-or.ts';
import { type ComputeAction, policy } from '../policy.ts';
import { findServer, ownServer, serverNotFound } from './find-server.ts';
import type { ServerRow } from './server-rows.ts';
import type { TaskState, VmState } from './statuses.ts';

/** The states that an action is taken in. */
export interface Allowed {
  vmStates: readonly VmState[];
  /** Tasks that do not stand in the way; none at all is always allowed. */
  taskStates?: readonly TaskState[] | 'any';
  /** Whether the guest must have run. */
  launched: boolean;
  /** Whether a server that is on no host will do. */
  hostless?: boolean;
}

export interface Transition {
  id: string;
  /** Nova's name of the action, as its messages have it. */
  verb: string;
  policyAction: ComputeAction;
  allowed?: Allowed;
  /** Nova lets some be done to locked servers, too. */
  evenLocked?: boolean;
  /** Whether it turns the server on, which may cost more than before, or has it go on. */
  costs?: boolean;
  statements: Statement[];
  touches?: SQL;
  detail?: Record<string, unknown>;
  /** What the assertions among the transition's own statements mean. */
  refusals?: Refusals;
}

/**
 * Changes a server in one batch, if it is there, not locked, and in a state that allows it.
 * @returns the results of the transition's own statements
 * @throws ApiError 403 nobody could pay for it; 404; 409 locked, or in another state, as Nova says it
 */
export async function commitTransition(ctx: ActorContext, transition: Transition): Promise<unknown[]> {
  authorize(ctx, policy, transition.policyAction);
  if (!transition.costs) return commitGuarded(ctx, transition, []);
  return whileAffordable(ctx, transition.id, (guards) => commitGuarded(ctx, transition, guards));
}

async function commitGuarded(ctx: ActorContext, transition: Transition, also: Statement[]): Promise<unknown[]> {
  const { id, verb, policyAction, allowed, touches, detail } = transition;
  const guards = [
    assertThat(ctx.db, 'server', sql`EXISTS (SELECT 1 FROM servers WHERE ${ownServer(ctx, id, 'servers')})`),
    ...(isAdmin(ctx) || transition.evenLocked
      ? []
      : [assertThat(ctx.db, 'unlocked', holds(id, sql`locked_by IS NULL`))]),
    ...(allowed ? [assertThat(ctx.db, 'state', holds(id, allows(allowed)))] : []),
    ...also,
  ];
  const change = {
    audit: { action: policyAction, targetType: 'server', targetId: id, ...(detail ? { detail } : {}) },
    statements: [...guards, ...transition.statements],
    ...(touches ? { touches } : {}),
  };
  const results = await commitOr(ctx, change, {
    ...transition.refusals,
    server: () => serverNotFound(id),
    unlocked: () => conflict(`Instance ${id} is locked`),
    state: async () => invalidState(verb, await findServer(ctx, id), allowed),
  });
  return results.slice(guards.length);
}

const holds = (id: string, condition: SQL) => sql`EXISTS (SELECT 1 FROM servers WHERE id = ${id} AND ${condition})`;

function allows({ vmStates, taskStates = [], launched, hostless }: Allowed): SQL {
  const list = (values: readonly string[]) =>
    sql.join(
      values.map((value) => sql`${value}`),
      sql`, `,
    );
  const task = taskStates === 'any' ? sql`1` : sql`(task_state IS NULL OR task_state IN (${list(taskStates)}))`;
  return sql`vm_state IN (${list(vmStates)}) AND ${task} AND ${hostless ? sql`1` : sql`runner_id IS NOT NULL`} AND ${launched ? sql`launched_at_ms IS NOT NULL` : sql`1`}`;
}

/** What stood in the way, in Nova's words. The server may have moved on since: then that it was in no state to. */
export function invalidState(verb: string, row: ServerRow, allowed: Allowed | undefined): Error {
  const because = (attribute: string, state: string) =>
    conflict(`Cannot '${verb}' instance ${row.id} while it is in ${attribute} ${state}`);
  if (allowed && !allowed.vmStates.includes(row.vmState)) return because('vm_state', row.vmState);
  const busy = allowed?.taskStates !== 'any' && row.taskState !== null && !allowed?.taskStates?.includes(row.taskState);
  if (busy) return because('task_state', row.taskState ?? '');
  if (row.runnerId === null) return conflict(`Instance ${row.id} is not ready`);
  return conflict(`Instance ${row.id} is in an invalid state for '${verb}'`);
}
