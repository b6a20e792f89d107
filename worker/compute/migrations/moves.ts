import { type SQL, sql } from 'drizzle-orm';
import { dropDesired } from '../../fleet/desired.ts';
import type { Statement } from '../../http/commit.ts';
import type { Context } from '../../http/context.ts';
import { moveServerPorts, putServerPorts, takePortsFrom } from '../../network/server-ports.ts';
import { finishActions } from '../servers/actions.ts';
import { TASK_DEADLINES_MS } from '../servers/tasks.ts';

/*
 * The steps of a move (docs/protocol.md, Moves). Each is a set of statements for one batch that does nothing unless the move
 * is in the phase that the step begins from, so that of two steps that race one is the one that counts. `which` is a
 * condition on `m`, a row of `server_migrations`.
 */

/** A step, with the condition on `runners` that the batch's `touches` must include. */
export interface Step {
  statements: Statement[];
  touches: SQL;
}

/** How long the source may take to send, and the slack for the word of it to come. */
export const SEND_LIMIT_MS = 50 * 60_000;
const SEND_SLACK_MS = 60_000;

type Column =
  | 'uuid'
  | 'server_id'
  | 'source_runner_id'
  | 'target_runner_id'
  | 'epoch'
  | 'op_id'
  | 'type'
  | 'target_host';

/** A member of the move, where it is in one of the phases: null otherwise, and then nothing that is compared with it matches. */
function member(
  which: SQL,
  phases: readonly string[],
  column: Column | `new_claim ->> '${string}'` | 'new_flavor',
): SQL {
  const inPhase = sql.raw(`m.phase IN (${phases.map((phase) => `'${phase}'`).join(', ')})`);
  return sql`(SELECT ${sql.raw(`m.${column}`)} FROM server_migrations m WHERE (${which}) AND ${inPhase})`;
}

/** The target is ready: the source is asked to send. @param place - what the target said of where it listens */
export function beginSending(
  ctx: Context,
  which: SQL,
  place: { address: string; disk_port: number; memory_port: number },
): Step {
  const now = ctx.clock.nowMs();
  const its = (column: Column) => member(which, ['preparing'], column);
  const opId = ctx.ids.uuid();
  const deadline = now + SEND_LIMIT_MS + SEND_SLACK_MS;
  const { address, disk_port, memory_port } = place;
  return {
    touches: sql`runners.id = ${its('source_runner_id')}`,
    statements: [
      // No request is named: its action goes on after the operation has ended.
      ctx.db.run(sql`
        INSERT INTO operations (op_id, region, runner_id, kind, target_kind, target_id, target_epoch, request_id, state, args, deadline_ms, created_at_ms)
        SELECT ${opId}, s.region, m.source_runner_id, CASE m.type WHEN 'live-migration' THEN 'send-guest' ELSE 'send-disk' END,
          'server', s.id, s.epoch, '', 'queued', json_object('move_id', m.uuid, 'epoch', m.epoch, 'key', '', 'address', ${address},
            'disk_port', ${disk_port}, 'memory_port', ${memory_port}, 'limit_ms', ${SEND_LIMIT_MS}), ${deadline}, ${now}
        FROM server_migrations m JOIN servers s ON s.id = m.server_id WHERE (${which}) AND m.phase = 'preparing'`),
      ctx.db.run(sql`
        UPDATE servers SET task_state = 'resize_migrating', task_deadline_ms = ${now + TASK_DEADLINES_MS.resize_migrating}
        WHERE id = ${its('server_id')} AND task_state = 'resize_prep'`),
      ctx.db.run(sql`
        UPDATE server_migrations AS m SET phase = 'moving', op_id = ${opId}, deadline_ms = ${deadline}, updated_at_ms = ${now},
          status = CASE m.type WHEN 'live-migration' THEN 'running' ELSE 'migrating' END
        WHERE (${which}) AND m.phase = 'preparing'`),
    ],
  };
}

/** The source has sent everything: from this batch on the server is the target's. */
export function takeOver(ctx: Context, which: SQL): Step {
  const { db } = ctx;
  const now = ctx.clock.nowMs();
  const its = (column: Parameters<typeof member>[2]) => member(which, ['moving'], column);
  const [server, source, target] = [its('server_id'), its('source_runner_id'), its('target_runner_id')];
  const live = sql`${its('type')} = 'live-migration'`;
  const ports = putServerPorts(ctx, server, target);
  const generation = sql`(SELECT runners.generation FROM runners WHERE runners.id = desired.runner_id)`;
  return {
    touches: sql`(runners.id IN (${source}, ${target}) OR (${server} IS NOT NULL AND ${ports.touches}))`,
    statements: [
      // What was asked for meanwhile was told to the source alone.
      db.run(sql`
        UPDATE desired SET generation = ${generation}, spec = (SELECT json_set(src.spec, '$.epoch', ${its('epoch')}, '$.incoming', json('null'),
            '$.vcpus', ${its(`new_claim ->> 'vcpus'`)}, '$.memory_mib', ${its(`new_claim ->> 'memoryMib'`)},
            '$.disk_gib', ${its(`new_claim ->> 'diskGib'`)}, '$.metadata.instance_type', ${its('new_flavor')} ->> '$.name',
            '$.metadata.availability_zone', (SELECT r.zone FROM runners r WHERE r.id = desired.runner_id))
          FROM desired src WHERE src.runner_id = ${source} AND src.kind = 'server' AND src.id = desired.id)
        WHERE runner_id = ${target} AND kind = 'server' AND id = ${server} AND deleted = 0`),
      ...ports.statements,
      takePortsFrom(ctx, server, source),
      ...moveServerPorts(ctx, server, target),
      dropDesired(db, 'server', sql`desired.id = ${server} AND desired.runner_id = ${source} AND ${live}`),
      // The old copy is kept, off, until the move is confirmed.
      db.run(sql`
        UPDATE desired SET generation = ${generation}, spec = json_set(spec, '$.power', 'off', '$.ports', json('[]'))
        WHERE runner_id = ${source} AND kind = 'server' AND id = ${server} AND deleted = 0`),
      ...finishActions(db, {
        serverWhere: sql`server_id = ${server}`,
        actions: ['live-migration'],
        when: live,
        nowMs: now,
      }),
      db.run(sql`
        UPDATE servers SET runner_id = ${target}, epoch = ${its('epoch')}, flavor = ${its('new_flavor')},
          zone = (SELECT r.zone FROM runners r WHERE r.id = ${target}),
          claimed_vcpus = ${its(`new_claim ->> 'vcpus'`)}, claimed_memory_mib = ${its(`new_claim ->> 'memoryMib'`)},
          claimed_disk_gib = ${its(`new_claim ->> 'diskGib'`)}, updated_at_ms = ${now},
          task_state = CASE WHEN ${live} THEN NULL ELSE 'resize_finish' END,
          task_deadline_ms = CASE WHEN ${live} THEN NULL ELSE ${now + TASK_DEADLINES_MS.resize_finish} END
        WHERE id = ${server}`),
      db.run(sql`
        UPDATE server_migrations AS m SET updated_at_ms = ${now}, held = 'old', held_runner_id = m.source_runner_id,
          deadline_ms = ${now + TASK_DEADLINES_MS.resize_finish},
          phase = CASE m.type WHEN 'live-migration' THEN 'ending' ELSE 'starting' END,
          status = CASE m.type WHEN 'live-migration' THEN 'completed' ELSE 'post-migrating' END
        WHERE (${which}) AND m.phase = 'moving'`),
    ],
  };
}

/**
 * The move is given up: the server stays with the source, in an epoch above the target's. What the source still says of
 * having sent it changes nothing any more.
 */
export function callOff(ctx: Context, which: SQL, of: { status: 'error' | 'cancelled'; why: string }): Step {
  const { db } = ctx;
  const now = ctx.clock.nowMs();
  const its = (column: Column) => member(which, ['preparing', 'moving'], column);
  const [server, source, target] = [its('server_id'), its('source_runner_id'), its('target_runner_id')];
  return {
    touches: sql`runners.id IN (${source}, ${target})`,
    statements: [
      dropDesired(db, 'server', sql`desired.id = ${server} AND desired.runner_id = ${target}`),
      takePortsFrom(ctx, server, target),
      db.run(sql`
        UPDATE desired SET spec = json_set(spec, '$.epoch', ${its('epoch')} + 1),
          generation = (SELECT runners.generation FROM runners WHERE runners.id = desired.runner_id)
        WHERE runner_id = ${source} AND kind = 'server' AND id = ${server} AND deleted = 0`),
      closeOperation(ctx, its('op_id'), of.why),
      ...finishActions(db, {
        serverWhere: sql`server_id = ${server}`,
        actions: ['live-migration', 'migrate', 'resize'],
        when: sql`1`,
        nowMs: now,
        error: of.why,
      }),
      db.run(sql`
        UPDATE servers SET epoch = ${its('epoch')} + 1, updated_at_ms = ${now},
          task_deadline_ms = CASE WHEN task_state IN ('migrating', 'resize_prep', 'resize_migrating') THEN NULL ELSE task_deadline_ms END,
          task_state = CASE WHEN task_state IN ('migrating', 'resize_prep', 'resize_migrating') THEN NULL ELSE task_state END
        WHERE id = ${server}`),
      db.run(sql`
        UPDATE server_migrations AS m SET phase = 'ending', status = ${of.status}, updated_at_ms = ${now}
        WHERE (${which}) AND m.phase IN ('preparing', 'moving')`),
    ],
  };
}

/** Ends the operation of a move that is given up: what its runner says of it later counts for nothing. */
export const closeOperation = (ctx: Context, opId: SQL, why: string): Statement =>
  ctx.db.run(sql`
    UPDATE operations SET state = 'failed', finished_at_ms = ${ctx.clock.nowMs()}, fault = json_object('code', 409, 'message', ${why})
    WHERE op_id = ${opId} AND state IN ('queued', 'accepted')`);

/** Gives back what a move still holds of a machine, once. @param which - a condition on `m` and what it holds */
export function releaseHeld(ctx: Context, which: SQL): Statement[] {
  const share = (name: string) =>
    sql.raw(`(SELECT CASE m.held WHEN 'new' THEN m.new_claim ->> '${name}' ELSE m.old_claim ->> '${name}' END`);
  const from = sql`FROM server_migrations m WHERE (${which}) AND m.held IS NOT NULL)`;
  return [
    ctx.db.run(sql`
      UPDATE runners SET vcpus_claimed = vcpus_claimed - ${share('vcpus')} ${from},
        memory_mib_claimed = memory_mib_claimed - ${share('memoryMib')} ${from},
        disk_gib_claimed = disk_gib_claimed - ${share('diskGib')} ${from}
      WHERE id = (SELECT m.held_runner_id ${from} AND state <> 'removed'`),
    ctx.db.run(sql`
      UPDATE server_migrations AS m SET held = NULL, held_runner_id = NULL, updated_at_ms = ${ctx.clock.nowMs()},
        phase = CASE m.phase WHEN 'ending' THEN 'ended' ELSE m.phase END,
        status = CASE m.status WHEN 'confirming' THEN 'confirmed' ELSE m.status END
      WHERE (${which})`),
  ];
}
