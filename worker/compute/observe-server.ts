import { type SQL, sql } from 'drizzle-orm';
import type { Observation } from '../../shared/protocol/messages.ts';
import type { ServerSpec } from '../../shared/specs/server.ts';
import { stillDesired } from '../fleet/desired.ts';
import type { Effect } from '../fleet/observers.ts';
import type { Context } from '../http/context.ts';
import { discardImages } from '../image/discard-images.ts';
import { releaseServerPorts, unbindServerPorts } from '../network/server-ports.ts';
import { moveObserved } from './migrations/observe-move.ts';
import { returnClaim } from './schedule/hosts.ts';
import { ACTIONS, type ActionName, finishActions, STATE_ACTIONS } from './servers/actions.ts';
import { onceDeleted } from './servers/delete-server.ts';
import { patchDesiredServer } from './servers/desired-server.ts';
import { passwordObserved } from './servers/server-password.ts';
import type { TaskState } from './servers/statuses.ts';
import { TASK_DEADLINES_MS } from './servers/tasks.ts';

/** What an observer needs: who says what of which server, and the conditions that its writes share. */
interface Report {
  ctx: Context;
  runnerId: string;
  observation: Observation;
  nowMs: number;
  /** The server is this runner's, and the runner's wish for it is still the one that the report is about. */
  current: SQL;
}

/** Nova's power states, as far as a report tells them. */
const POWER = { running: 1, paused: 3, stopped: 4, crashed: 6, suspended: 4 } as const;
const REBOOTING = sql.raw(`coalesce(task_state, '') IN ('rebooting', 'rebooting_hard')`);
const OFFLOADING = sql.raw(`coalesce(task_state, '') = 'shelving_offloading'`);
const DELETING = sql.raw(`coalesce(task_state, '') IN ('deleting', 'soft-deleting')`);
/** An ERROR that a report may lift: an operator's own (os-resetState) has no fault and stays. */
const HEALABLE = sql.raw(`(vm_state <> 'error' OR fault IS NOT NULL)`);
/** States that say more of a server than its guest's power, so that only a task's end changes them. */
const KEPT = sql.raw(`vm_state IN ('resized', 'shelved', 'shelved_offloaded', 'soft-delete')`);

/** What a runner's report of a guest changes: its move, where there is one, and the server itself. */
export function serverObserved(ctx: Context, runnerId: string, observation: Observation): Effect {
  const move = moveObserved(ctx, runnerId, observation);
  const own = guestObserved(ctx, runnerId, observation);
  const touches = [move.touches, own.touches].filter((one) => one !== undefined);
  return {
    statements: [...move.statements, ...own.statements],
    ...(touches.length > 0
      ? {
          touches: sql.join(
            touches.map((one) => sql`(${one})`),
            sql` OR `,
          ),
        }
      : {}),
  };
}

/** States, faults, actions, and on `absent` the end of the server. */
function guestObserved(ctx: Context, runnerId: string, observation: Observation): Effect {
  const current = sql`id = ${observation.id} AND runner_id = ${runnerId} AND deleted_at_ms IS NULL AND ${stillDesired(runnerId, observation)}`;
  const report: Report = { ctx, runnerId, observation, nowMs: ctx.clock.nowMs(), current };
  switch (observation.state) {
    case 'running':
      return running(report);
    case 'paused':
      return { statements: settled(report, 'paused') };
    case 'suspended':
      return { statements: settled(report, 'suspended') };
    case 'stopped':
      return stopped(report);
    case 'failed':
      return failed(report, { code: 500, message: 'The host could not bring the server into its state.' });
    case 'absent':
      return absent(report);
    case 'working':
      return working(report);
    default:
      return { statements: [] };
  }
}

const wished = ({ runnerId, observation }: Report, condition: SQL): SQL =>
  sql`EXISTS (SELECT 1 FROM desired WHERE runner_id = ${runnerId} AND kind = 'server' AND id = ${observation.id} AND ${condition})`;
const wishedPower = (report: Report, ...powers: ServerSpec['power'][]): SQL =>
  wished(report, sql`deleted = 0 AND spec ->> '$.power' IN (${list(powers)})`);
const list = (values: readonly string[]): SQL =>
  sql.join(
    values.map((value) => sql`${value}`),
    sql`, `,
  );

/** Writes new states where the condition holds, after the actions that this ends. */
function change(
  report: Report,
  of: { when: SQL; set: SQL; ends: readonly ActionName[]; error?: string | undefined },
): Effect['statements'] {
  const { ctx, observation, nowMs } = report;
  const where = sql`${report.current} AND ${of.when}`;
  return [
    ...finishActions(ctx.db, {
      serverWhere: sql`server_id = ${observation.id}`,
      actions: of.ends,
      when: sql`EXISTS (SELECT 1 FROM servers WHERE ${where})`,
      nowMs,
      ...(of.error === undefined ? {} : { error: of.error }),
    }),
    ctx.db.run(sql`UPDATE servers SET ${of.set}, updated_at_ms = ${nowMs} WHERE ${where}`),
  ];
}

/**
 * What is seen of a guest while it reboots changes no state that clients see: it may be a step of the reboot. It is kept,
 * and should the reboot fail, it is what the server then is (see observe-operation.ts).
 */
function seenInReboot(report: Report, powerState: 1 | 4 | 6, fault: string | null): Effect['statements'] {
  return [
    report.ctx.db.run(sql`
      UPDATE servers SET power_state = ${powerState}, fault = ${fault}
      WHERE ${report.current} AND ${REBOOTING} AND ${wishedPower(report, 'on')} AND power_state <> ${powerState}`),
  ];
}

/** The wish that each report fulfils, the tasks and the actions that end with it, and what the server then is. */
const SETTLED: Readonly<
  Record<
    'running' | 'paused' | 'suspended' | 'stopped',
    { wish: ServerSpec['power']; vmState: SQL; tasks: readonly TaskState[]; ends: readonly ActionName[] }
  >
> = {
  running: {
    wish: 'on',
    vmState: sql.raw(`CASE WHEN (SELECT d.spec ->> '$.rescue' FROM desired d WHERE d.runner_id = servers.runner_id
      AND d.kind = 'server' AND d.id = servers.id) IS NULL THEN 'active' ELSE 'rescued' END`),
    tasks: [
      ...(['scheduling', 'spawning', 'powering-on', 'unpausing', 'resuming', 'rescuing', 'unrescuing'] as const),
      ...(['rebuilding', 'rebuild_block_device_mapping', 'rebuild_spawning', 'unshelving', 'restoring'] as const),
    ],
    // A reboot ends by its own report.
    ends: ['create', 'start', 'unpause', 'resume', 'rescue', 'unrescue', 'rebuild', 'unshelve'],
  },
  paused: { wish: 'paused', vmState: sql.raw(`'paused'`), tasks: ['pausing'], ends: ['pause'] },
  suspended: { wish: 'suspended', vmState: sql.raw(`'suspended'`), tasks: ['suspending'], ends: ['suspend'] },
  stopped: {
    wish: 'off',
    vmState: sql.raw(`'stopped'`),
    tasks: ['spawning', 'powering-off', 'rebuilding', 'rebuild_block_device_mapping', 'rebuild_spawning'],
    ends: ['stop', 'rebuild'],
  },
};
/** A guest that begins anew with these was launched when it did. */
const LAUNCHES = sql.raw(
  `coalesce(task_state, '') IN ('rebuilding', 'rebuild_block_device_mapping', 'rebuild_spawning', 'unshelving')`,
);

/** A guest is as it was wished to be. */
function settled(report: Report, state: keyof typeof SETTLED): Effect['statements'] {
  const { wish, vmState, tasks, ends } = SETTLED[state];
  const power = POWER[state];
  const launched =
    state === 'running'
      ? sql`, launched_at_ms = CASE WHEN ${LAUNCHES} THEN ${report.nowMs} ELSE coalesce(launched_at_ms, ${report.nowMs}) END`
      : sql``;
  const changed = change(report, {
    when: sql`${wishedPower(report, wish)}
      AND (task_state IN (${list(tasks)})
        OR (task_state IS NULL AND ${HEALABLE} AND NOT ${KEPT} AND (vm_state <> ${vmState} OR power_state <> ${power})))`,
    set: sql`vm_state = ${vmState}, task_state = NULL, task_deadline_ms = NULL, power_state = ${power}, fault = NULL${launched}`,
    ends,
  });
  return state === 'running' ? [...changed, ...unshelved(report)] : changed;
}

/** An unshelved server that runs needs the image of its disk no longer. */
function unshelved({ ctx, current }: Report): Effect['statements'] {
  const back = sql`${current} AND vm_state = 'active' AND shelved_image_id IS NOT NULL`;
  return [
    ...discardImages(ctx, sql`SELECT shelved_image_id FROM servers WHERE ${back}`),
    ctx.db.run(sql`UPDATE servers SET shelved_image_id = NULL, shelved_spec = NULL WHERE ${back}`),
  ];
}

function running(report: Report): Effect {
  const { ctx, runnerId, observation } = report;
  const statements = [
    ...settled(report, 'running'),
    ...seenInReboot(report, POWER.running, null),
    ...passwordObserved(ctx, runnerId, observation),
  ];
  const { fault } = observation;
  if (!fault) return { statements };
  const own = notHeld(report, fault.message);
  return { statements: [...statements, ...own.statements], touches: own.touches };
}

/** A guest that could not be held still runs on: its server is what it was, and its host is told so. */
function notHeld(report: Report, why: string): Required<Effect> {
  const { ctx, runnerId, observation } = report;
  const when = sql`${wishedPower(report, 'paused', 'suspended')} AND coalesce(task_state, '') IN ('pausing', 'suspending')`;
  const applies = sql`EXISTS (SELECT 1 FROM servers WHERE ${report.current} AND ${when})`;
  const nowActive = sql`EXISTS (SELECT 1 FROM servers WHERE id = ${observation.id} AND vm_state = 'active' AND task_state IS NULL)`;
  return {
    touches: sql`runners.id = ${runnerId} AND ${applies}`,
    statements: [
      ...change(report, {
        when,
        set: sql`vm_state = 'active', task_state = NULL, task_deadline_ms = NULL, power_state = ${POWER.running}`,
        ends: ['pause', 'suspend'],
        error: why,
      }),
      patchDesiredServer(ctx.db, observation.id, {
        path: '$.power',
        value: sql`'on'`,
        when: sql`runner_id = ${runnerId} AND generation = ${observation.generation} AND spec ->> '$.power' IN ('paused', 'suspended') AND ${nowActive}`,
      }),
    ],
  };
}

function stopped(report: Report): Effect {
  const { cause } = report.observation;
  const asked = settled(report, 'stopped');
  if (cause === undefined) return { statements: asked };
  if (cause === 'guest') {
    const own = shutByGuest(report);
    const seen = seenInReboot(report, POWER.stopped, null);
    return { statements: [...asked, ...own.statements, ...seen], touches: own.touches };
  }
  const crashed = failed(
    report,
    { code: 500, message: 'The guest stopped: its process ended unexpectedly.' },
    POWER.crashed,
  );
  return { statements: [...asked, ...crashed.statements] };
}

/** A guest that shut itself down stays off: its host is told so, lest it turn it on again. A rescued one is still to be unrescued. */
function shutByGuest(report: Report): Required<Effect> {
  const { ctx, runnerId, observation } = report;
  const when = sql`${wishedPower(report, 'on')} AND NOT ${DELETING} AND NOT ${REBOOTING}`;
  const applies = sql`EXISTS (SELECT 1 FROM servers WHERE ${report.current} AND ${when})`;
  // True only after the change: a report that changed nothing must not change the wish under its generation.
  const nowOff = sql`EXISTS (SELECT 1 FROM servers WHERE id = ${observation.id} AND power_state = ${POWER.stopped} AND task_state IS NULL)`;
  return {
    touches: sql`runners.id = ${runnerId} AND ${applies}`,
    statements: [
      ...change(report, {
        when,
        set: sql`vm_state = CASE WHEN vm_state = 'rescued' OR ${KEPT} THEN vm_state ELSE 'stopped' END, task_state = NULL,
          task_deadline_ms = NULL, power_state = ${POWER.stopped}, fault = NULL, launched_at_ms = coalesce(launched_at_ms, ${report.nowMs})`,
        ends: SETTLED.running.ends,
      }),
      patchDesiredServer(ctx.db, observation.id, {
        path: '$.power',
        value: sql`'off'`,
        when: sql`runner_id = ${runnerId} AND generation = ${observation.generation} AND ${nowOff}`,
      }),
    ],
  };
}

/** A server that its host failed goes to ERROR with the host's own words. A failed removal does so too: its tombstone stays. */
function failed(report: Report, otherwise: { code: number; message: string }, powerState?: 6): Effect {
  const { observation, nowMs } = report;
  const fault = JSON.stringify({ ...otherwise, ...observation.fault, createdAtMs: nowMs });
  const same = sql`(vm_state = 'error' AND task_state IS NULL AND fault ->> '$.message' = ${fault} ->> '$.message')`;
  const unlessOff = powerState === undefined ? sql`1` : wishedPower(report, 'on', 'paused');
  return {
    statements: [
      ...change(report, {
        when: sql`NOT ${REBOOTING} AND NOT ${same} AND ${unlessOff}`,
        set: sql`vm_state = 'error', task_state = NULL, task_deadline_ms = NULL, fault = ${fault},
        power_state = ${powerState === undefined ? sql`power_state` : sql`${powerState}`}`,
        ends: STATE_ACTIONS,
        error: observation.fault?.message ?? otherwise.message,
      }),
      ...seenInReboot(report, POWER.crashed, fault),
    ],
  };
}

/** What a host has let go of, as it was told to, is deleted: claims and addresses go back, each once. */
function absent(report: Report): Effect {
  const { ctx, observation, nowMs } = report;
  const buried = wished(report, sql`deleted = 1`);
  const where = sql`${report.current} AND ${buried} AND NOT ${OFFLOADING}`;
  const applies = sql`EXISTS (SELECT 1 FROM servers WHERE ${where})`;
  const off = offloaded(report, sql`${report.current} AND ${buried} AND ${OFFLOADING}`);
  return {
    touches: sql`(${off.touches}) OR (${applies} AND ${releaseServerPorts(ctx, observation.id).touches})`,
    statements: [
      ...off.statements,
      ...returnClaim(ctx, where),
      ...finishActions(ctx.db, {
        serverWhere: sql`server_id = ${observation.id}`,
        actions: ACTIONS.filter((action) => action !== 'delete'),
        when: applies,
        nowMs,
        error: 'The server was deleted before this was done.',
      }),
      ...change(report, {
        when: sql`${buried} AND NOT ${OFFLOADING}`,
        set: sql`vm_state = 'deleted', task_state = NULL, task_deadline_ms = NULL, power_state = 0,
          terminated_at_ms = ${nowMs}, deleted_at_ms = ${nowMs}`,
        ends: ['delete'],
      }),
      ...releaseServerPorts(ctx, onceDeleted(observation.id)).statements,
      ...discardImages(
        ctx,
        sql`SELECT shelved_image_id FROM servers WHERE id = ${observation.id} AND deleted_at_ms IS NOT NULL`,
      ),
    ],
  };
}

/** A host has let go of a shelved server: its claims go back, its addresses stay with it. */
function offloaded(report: Report, where: SQL): Required<Effect> {
  const { ctx, observation } = report;
  const applies = sql`EXISTS (SELECT 1 FROM servers WHERE ${where})`;
  const ports = unbindServerPorts(ctx, sql`(SELECT id FROM servers WHERE ${where})`);
  return {
    touches: sql`${applies} AND ${unbindServerPorts(ctx, observation.id).touches}`,
    statements: [
      ...returnClaim(ctx, where),
      ...ports.statements,
      ...change(report, {
        when: sql`${wished(report, sql`deleted = 1`)} AND ${OFFLOADING}`,
        set: sql`vm_state = 'shelved_offloaded', task_state = NULL, task_deadline_ms = NULL, power_state = ${POWER.stopped},
          runner_id = NULL, fault = NULL`,
        ends: ['shelveOffload'],
      }),
    ],
  };
}

/** Tasks that may wait for an image to come. */
const WAITING: readonly TaskState[] = ['spawning', 'rebuilding', 'rebuild_spawning', 'rescuing', 'unshelving'];

/** A host that is at work on a build gets its time anew. */
function working(report: Report): Effect {
  const progress = Number(report.observation.detail?.progress);
  const shown = Number.isFinite(progress) ? sql`${Math.min(100, Math.max(0, Math.round(progress)))}` : sql`progress`;
  return {
    statements: [
      report.ctx.db.run(sql`
        UPDATE servers SET progress = ${shown}, task_deadline_ms = ${report.nowMs + TASK_DEADLINES_MS.spawning}
        WHERE ${report.current} AND task_state IN (${list(WAITING)})`),
    ],
  };
}
