import { sql } from 'drizzle-orm';
import ipaddr from 'ipaddr.js';
import { z } from 'zod';
import { MOVE_PORT_MAX, MOVE_PORT_MIN } from '../../../shared/limits.ts';
import type { Observation, RunnerMessageOf } from '../../../shared/protocol/messages.ts';
import { stillDesired } from '../../fleet/desired.ts';
import type { Effect } from '../../fleet/observers.ts';
import type { Context } from '../../http/context.ts';
import { finishActions } from '../servers/actions.ts';
import { beginSending, callOff, releaseHeld, takeOver } from './moves.ts';

/** Addresses that lead to the machine that dials, or to no one machine. */
const NOT_ANOTHER = new Set(['loopback', 'unspecified', 'multicast', 'broadcast']);
const port = z.int().min(MOVE_PORT_MIN).max(MOVE_PORT_MAX);
/** What a target says of where it listens: the source is sent there and nowhere else, so that it dials no other service. */
const incoming = z.object({
  move_id: z.string(),
  address: z.union([z.ipv4(), z.ipv6()]).refine((text) => !NOT_ANOTHER.has(ipaddr.process(text).range())),
  disk_port: port,
  memory_port: port,
});

/**
 * What a report of a server means for its move. It may come from either machine: each is told apart by what it is to the
 * move, and heard only about the wish that it has now.
 */
export function moveObserved(ctx: Context, runnerId: string, observation: Observation): Effect {
  const { id, state } = observation;
  const current = stillDesired(runnerId, observation);
  const toTarget = sql`m.server_id = ${id} AND m.target_runner_id = ${runnerId} AND ${current}`;
  switch (state) {
    case 'working': {
      const place = incoming.safeParse(observation.detail?.incoming);
      if (!place.success) return { statements: [] };
      return beginSending(ctx, sql`${toTarget} AND m.uuid = ${place.data.move_id}`, place.data);
    }
    case 'failed':
      return failedAtTarget(ctx, runnerId, observation);
    case 'running':
    case 'stopped':
    case 'paused':
      return arrived(ctx, runnerId, observation);
    case 'absent':
      return { statements: releaseHeld(ctx, loser(runnerId, observation)) };
    default:
      return { statements: [] };
  }
}

/** The move whose losing machine has let go of its copy, as it was told to. */
const loser = (runnerId: string, { id, generation }: Observation) =>
  sql`m.server_id = ${id} AND m.held_runner_id = ${runnerId} AND (m.phase = 'ending' OR m.type = 'evacuation') AND EXISTS (SELECT 1 FROM desired gone
    WHERE gone.runner_id = ${runnerId} AND gone.kind = 'server' AND gone.id = ${id} AND gone.generation = ${generation} AND gone.deleted = 1)`;

function failedAtTarget(ctx: Context, runnerId: string, observation: Observation): Effect {
  const { id } = observation;
  const toTarget = sql`m.server_id = ${id} AND m.target_runner_id = ${runnerId} AND ${stillDesired(runnerId, observation)}`;
  const why = `The server was not moved: ${observation.fault?.message ?? 'its new host could not take it.'}`;
  // It is marked first: the wish that the report is about is another once it is called off.
  const marked = sql`m.server_id = ${id} AND m.target_runner_id = ${runnerId} AND m.status = 'error'`;
  const off = callOff(ctx, marked, { status: 'error', why });
  return {
    touches: callOff(ctx, toTarget, { status: 'error', why }).touches,
    statements: [
      ctx.db.run(
        sql`UPDATE server_migrations AS m SET status = 'error' WHERE ${toTarget} AND m.phase IN ('preparing', 'moving')`,
      ),
      ...off.statements,
      // It is the target's already: the server is in ERROR, its old copy kept where there is one.
      ctx.db.run(sql`
        UPDATE server_migrations AS m SET status = 'error', updated_at_ms = ${ctx.clock.nowMs()},
          phase = CASE WHEN m.type <> 'evacuation' THEN 'held' WHEN m.held IS NULL THEN 'ended' ELSE 'ending' END
        WHERE ${toTarget} AND m.phase = 'starting'`),
    ],
  };
}

const POWER_STATES = { running: 1, paused: 3, stopped: 4 } as const;

/** The guest is on the target as it was wished, or back on the source after a revert. */
function arrived(ctx: Context, runnerId: string, observation: Observation): Effect {
  const now = ctx.clock.nowMs();
  const { id } = observation;
  const state = observation.state as keyof typeof POWER_STATES;
  const wish = { running: 'on', paused: 'paused', stopped: 'off' }[state];
  const wished = sql`EXISTS (SELECT 1 FROM desired d WHERE d.runner_id = ${runnerId} AND d.kind = 'server' AND d.id = ${id}
    AND d.generation = ${observation.generation} AND d.deleted = 0 AND d.spec ->> '$.power' = ${wish})`;
  const its = sql`id = ${id} AND runner_id = ${runnerId} AND deleted_at_ms IS NULL AND ${wished}`;
  const server = (task: string) => sql`EXISTS (SELECT 1 FROM servers WHERE ${its} AND task_state = ${task})`;
  const ended = (actions: Parameters<typeof finishActions>[1]['actions'], when: ReturnType<typeof server>) =>
    finishActions(ctx.db, { serverWhere: sql`server_id = ${id}`, actions, when, nowMs: now });
  const settled = sql`task_state = NULL, task_deadline_ms = NULL, power_state = ${POWER_STATES[state]}, fault = NULL, updated_at_ms = ${now}`;
  const toTarget = sql`m.server_id = ${id} AND m.target_runner_id = ${runnerId} AND m.phase = 'starting' AND ${wished}`;
  const evacuated = sql`EXISTS (SELECT 1 FROM server_migrations m WHERE ${toTarget} AND m.type = 'evacuation')`;
  return {
    statements: [
      ...ended(['resize', 'migrate'], server('resize_finish')),
      ...ended(['revertResize'], server('resize_reverting')),
      ...ended(['evacuate'], evacuated),
      ctx.db.run(sql`
        UPDATE server_migrations AS m SET updated_at_ms = ${now},
          phase = CASE WHEN m.type <> 'evacuation' THEN 'held' WHEN m.held IS NULL THEN 'ended' ELSE 'ending' END,
          status = CASE m.type WHEN 'evacuation' THEN 'done' ELSE 'finished' END
        WHERE ${toTarget}`),
      ctx.db.run(sql`
        UPDATE server_migrations AS m SET updated_at_ms = ${now}, status = 'reverted'
        WHERE m.server_id = ${id} AND m.status = 'reverting' AND ${server('resize_reverting')}`),
      ctx.db.run(sql`
        UPDATE servers SET vm_state = 'resized', launched_at_ms = ${now}, ${settled} WHERE ${its} AND task_state = 'resize_finish'`),
      ctx.db.run(sql`
        UPDATE servers SET vm_state = ${state === 'stopped' ? 'stopped' : 'active'}, launched_at_ms = ${now}, ${settled}
        WHERE ${its} AND task_state = 'resize_reverting'`),
    ],
  };
}

/** What the end of a source's sending means: the target has the server, or the move is given up. */
export function sendingEnded(ctx: Context, runnerId: string, update: RunnerMessageOf<'operation-update'>): Effect {
  if (update.state === 'accepted') return { statements: [] };
  const which = sql`m.op_id = ${update.op_id} AND m.source_runner_id = ${runnerId}`;
  if (update.state === 'done') return takeOver(ctx, which);
  return callOff(ctx, which, { status: 'error', why: update.fault?.message ?? 'The host could not send the server.' });
}
