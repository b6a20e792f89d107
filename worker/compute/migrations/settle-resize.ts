import { type SQL, sql } from 'drizzle-orm';
import { admitResize, resizeReads } from '../../billing/admission/admit-resize.ts';
import { dropDesired } from '../../fleet/desired.ts';
import { assertThat, commitAll, runBatch, type Statement } from '../../http/commit.ts';
import type { ActorContext, Context } from '../../http/context.ts';
import { badRequest } from '../../http/errors.ts';
import { moveServerPorts, putServerPorts, takePortsFrom } from '../../network/server-ports.ts';
import { finishedAction, startAction } from '../servers/actions.ts';
import { findServer } from '../servers/find-server.ts';
import { beginTask } from '../servers/tasks.ts';
import { type Allowed, commitTransition } from '../servers/transition.ts';
import { releaseHeld, type Step } from './moves.ts';

const ALLOWED: Allowed = { vmStates: ['resized'], launched: true };

const heldMove = (id: string) => sql`m.server_id = ${id} AND m.phase = 'held'`;
const ofMove = (id: string, member: string): SQL =>
  sql`(SELECT ${sql.raw(`m.${member}`)} FROM server_migrations m WHERE ${heldMove(id)})`;
const generation = sql`(SELECT runners.generation FROM runners WHERE runners.id = desired.runner_id)`;

const assertHeld = (ctx: Context, id: string): Statement =>
  assertThat(
    ctx.db,
    'held',
    sql`EXISTS (SELECT 1 FROM server_migrations m WHERE ${heldMove(id)} AND m.status = 'finished')`,
  );
const notFinished = (id: string) => () =>
  badRequest(`Instance has not been resized: migration of instance ${id} with status finished could not be found.`);

/** Keeps a server as it is now: its old host, or its host, lets go of the old disk. */
function confirmStep(ctx: Context, id: string): Step {
  const now = ctx.clock.nowMs();
  const stays = sql`EXISTS (SELECT 1 FROM server_migrations m WHERE ${heldMove(id)} AND m.source_runner_id = m.target_runner_id)`;
  return {
    touches: sql`runners.id = ${ofMove(id, 'source_runner_id')}`,
    statements: [
      dropDesired(
        ctx.db,
        'server',
        sql`desired.id = ${id} AND desired.runner_id = ${ofMove(id, 'source_runner_id')} AND NOT ${stays}`,
      ),
      ctx.db.run(sql`
        UPDATE desired SET generation = ${generation}, spec = json_set(spec, '$.old_disk', json('null'))
        WHERE kind = 'server' AND id = ${id} AND deleted = 0 AND runner_id = ${ofMove(id, 'source_runner_id')} AND ${stays}`),
      ctx.db.run(sql`
        UPDATE servers SET vm_state = CASE WHEN power_state = 4 THEN 'stopped' ELSE 'active' END, task_state = NULL,
          task_deadline_ms = NULL, fault = NULL, updated_at_ms = ${now}
        WHERE id = ${id}`),
      // A machine of its own gives the old claim back when it has let go; one that is gone holds nothing.
      ctx.db.run(sql`
        UPDATE server_migrations AS m SET phase = CASE WHEN m.held IS NULL THEN 'ended' ELSE 'ending' END,
          status = CASE WHEN m.held IS NULL THEN 'confirmed' ELSE 'confirming' END, updated_at_ms = ${now}
        WHERE ${heldMove(id)}`),
      ...releaseHeld(
        ctx,
        sql`m.server_id = ${id} AND m.status = 'confirming' AND m.source_runner_id = m.target_runner_id`,
      ),
    ],
  };
}

/** Keeps a resized or migrated server as it is now. @throws ApiError 400 nothing to confirm; 404; 409 in another state */
export async function confirmResize(ctx: ActorContext, id: string): Promise<void> {
  const step = confirmStep(ctx, id);
  await commitTransition(ctx, {
    id,
    verb: 'confirmResize',
    policyAction: 'os_compute_api:servers:confirm_resize',
    allowed: ALLOWED,
    statements: [
      assertHeld(ctx, id),
      ...finishedAction(ctx, { serverId: id, action: 'confirmResize', event: 'compute_confirm_resize' }),
      ...step.statements,
    ],
    touches: step.touches,
    refusals: { held: notFinished(id) },
  });
}

/** Confirms a server that nobody has confirmed in time. One that has moved on since is left alone. */
export async function confirmOverdue(ctx: Context, id: string): Promise<void> {
  const step = confirmStep(ctx, id);
  const still = sql`EXISTS (SELECT 1 FROM servers WHERE id = ${id} AND vm_state = 'resized' AND task_state IS NULL)`;
  await commitAll(ctx, [assertHeld(ctx, id), assertThat(ctx.db, 'state', still), ...step.statements], step.touches);
}

/**
 * Brings a server back to what and where it was, with its disk as it was.
 * @throws ApiError 400 nothing to revert, or its old host is gone; 404; 409 in another state
 */
export async function revertResize(ctx: ActorContext, id: string): Promise<void> {
  const { db } = ctx;
  const oldName = sql`(${ofMove(id, 'old_flavor')} ->> '$.name')`;
  const [row, offers] = await Promise.all([findServer(ctx, id), runBatch(db, resizeReads(ctx, id, oldName))]);
  const now = ctx.clock.nowMs();
  const [source, target, epoch] = ['source_runner_id', 'target_runner_id', 'epoch'].map((one) => ofMove(id, one)) as [
    SQL,
    SQL,
    SQL,
  ];
  const stays = sql`EXISTS (SELECT 1 FROM server_migrations m WHERE ${heldMove(id)} AND m.source_runner_id = m.target_runner_id)`;
  const old = (member: string) => sql`${ofMove(id, 'old_claim')} ->> ${member}`;
  const ports = putServerPorts(ctx, id, source);
  const now_ = sql`(SELECT cur.spec FROM desired cur WHERE cur.runner_id = ${target} AND cur.kind = 'server' AND cur.id = ${id})`;
  await commitTransition(ctx, {
    id,
    verb: 'revertResize',
    policyAction: 'os_compute_api:servers:revert_resize',
    allowed: ALLOWED,
    statements: [
      assertHeld(ctx, id),
      assertThat(db, 'kept', sql`EXISTS (SELECT 1 FROM server_migrations m WHERE ${heldMove(id)} AND m.held = 'old')`),
      ...admitResize(ctx, row, offers),
      ...startAction(ctx, { serverId: id, action: 'revertResize' }),
      beginTask(ctx, id, 'resize_reverting'),
      // Its name, metadata and power are what they are now; its size, its disk and its place what they were.
      db.run(sql`
        UPDATE desired SET generation = ${generation}, spec = json_set(${now_}, '$.epoch', ${epoch} + 1, '$.vcpus', ${old('vcpus')},
          '$.memory_mib', ${old('memoryMib')}, '$.disk_gib', ${old('diskGib')},
          '$.old_disk', CASE WHEN ${stays} THEN 'restore' END,
          '$.metadata.instance_type', ${ofMove(id, 'old_flavor')} ->> '$.name',
          '$.metadata.availability_zone', (SELECT r.zone FROM runners r WHERE r.id = desired.runner_id))
        WHERE kind = 'server' AND id = ${id} AND deleted = 0 AND runner_id = ${source}`),
      ...ports.statements,
      dropDesired(db, 'server', sql`desired.id = ${id} AND desired.runner_id = ${target} AND NOT ${stays}`),
      takePortsFrom(ctx, id, sql`(SELECT CASE WHEN NOT ${stays} THEN ${target} END)`),
      ...moveServerPorts(ctx, id, source),
      db.run(sql`
        UPDATE servers SET runner_id = ${source}, epoch = ${epoch} + 1, flavor = ${ofMove(id, 'old_flavor')},
          zone = (SELECT r.zone FROM runners r WHERE r.id = ${source}), claimed_vcpus = ${old('vcpus')},
          claimed_memory_mib = ${old('memoryMib')}, claimed_disk_gib = ${old('diskGib')}, updated_at_ms = ${now}
        WHERE id = ${id}`),
      db.run(sql`
        UPDATE server_migrations AS m SET phase = 'ending', status = 'reverting', held = 'new',
          held_runner_id = m.target_runner_id, updated_at_ms = ${now}
        WHERE ${heldMove(id)}`),
      ...releaseHeld(
        ctx,
        sql`m.server_id = ${id} AND m.status = 'reverting' AND m.source_runner_id = m.target_runner_id`,
      ),
    ],
    touches: sql`(runners.id IN (${source}, ${target}) OR ${ports.touches})`,
    refusals: {
      held: notFinished(id),
      kept: () => badRequest(`The old host of instance ${id} is gone, and its old disk with it: confirm the resize.`),
    },
  });
}
