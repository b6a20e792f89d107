import { sql } from 'drizzle-orm';
import { dropDesired } from '../../fleet/desired.ts';
import { AssertionFailed, assertThat } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { ApiError, badRequest } from '../../http/errors.ts';
import { authorize } from '../../http/policy.ts';
import { cryptoRandom } from '../../network/ipam/random.ts';
import { moveServerPorts, putServerPorts, takePortsFrom } from '../../network/server-ports.ts';
import { policy } from '../policy.ts';
import type { Host } from '../schedule/filters.ts';
import { CLAIM, takeClaim } from '../schedule/hosts.ts';
import { pickHost } from '../schedule/pick-host.ts';
import { assertGroup, GROUP, type PlacedGroup } from '../server-groups/placement.ts';
import { startAction } from '../servers/actions.ts';
import { findServer } from '../servers/find-server.ts';
import { beginTask, TASK_DEADLINES_MS } from '../servers/tasks.ts';
import { type Allowed, commitTransition, invalidState } from '../servers/transition.ts';
import { demandsOf, type Mover, readMover } from './begin-move.ts';

const ACTION = 'os_compute_api:os-evacuate';
const ALLOWED: Allowed = { vmStates: ['active', 'stopped', 'error'], launched: true };
const RACES_MAX = 8;

interface Lost {
  id: string;
  name: string;
  fenced: 0 | 1;
}

/**
 * Builds a server anew from its image on another host, in a higher epoch. Its own must be fenced, which takes an operator's word:
 * forced down, or removed. Should it come back, it is told to let go of its copy, and the epoch keeps that from starting.
 * @throws ApiError 400 its host is in use, or no other is good; 404; 409 in another state
 */
export async function evacuateServer(ctx: ActorContext, id: string, host: string | null): Promise<void> {
  authorize(ctx, policy, ACTION);
  for (let attempt = 0; attempt < RACES_MAX; attempt += 1) {
    try {
      return await attemptEvacuation(ctx, id, host, attempt);
    } catch (error) {
      if (!(error instanceof AssertionFailed && [CLAIM, GROUP].includes(error.assertion))) throw error;
    }
  }
  throw new ApiError(503, 'Too many servers are being placed at once: try again.', { headers: { 'retry-after': '1' } });
}

async function attemptEvacuation(ctx: ActorContext, id: string, host: string | null, attempt: number): Promise<void> {
  const { server, hosts, group: whole } = await readMover(ctx, id);
  const lost = await lostHostOf(ctx, id);
  const group = whole && lost ? groupWithout(whole, lost) : whole;
  const placed = targetOf(ctx, { server, lost, hosts, group, host, attempt });
  const target = 'host' in placed ? placed.host : null;
  const source = lost?.id ?? '';
  const ports = putServerPorts(ctx, id, target?.id ?? '');
  const now = ctx.clock.nowMs();
  const state = sql`EXISTS (SELECT 1 FROM servers WHERE id = ${id} AND vm_state IN ('active', 'stopped', 'error') AND task_state IS NULL
    AND EXISTS (SELECT 1 FROM desired d WHERE d.runner_id = ${source} AND d.kind = 'server' AND d.id = ${id} AND d.deleted = 0))`;
  const fenced = sql`EXISTS (SELECT 1 FROM runners WHERE id = ${source} AND (forced_down OR state = 'removed'))`;
  const claim = claimOf(server);
  const held = server.runnerId === null ? null : 'old';
  const ownFlavor = sql`(SELECT s.flavor FROM servers s WHERE s.id = ${id})`;
  await commitTransition(ctx, {
    id,
    verb: 'evacuate',
    policyAction: ACTION,
    statements: [
      assertThat(ctx.db, 'state', state),
      assertThat(ctx.db, 'fenced', fenced),
      assertThat(ctx.db, 'placed', target ? sql`1` : sql`0`),
      ...(target ? takeClaim(ctx, target, claim) : []),
      ...(target && group ? assertGroup(ctx, group, { serverId: id, runnerId: target.id, lostId: source }) : []),
      ...startAction(ctx, { serverId: id, action: 'evacuate' }),
      ctx.db.run(sql`
        INSERT INTO server_migrations (uuid, region, number, server_id, user_id, project_id, request_id, type, status, phase,
          source_runner_id, target_runner_id, source_host, target_host, epoch, old_flavor, new_flavor, old_claim, new_claim,
          held, held_runner_id, deadline_ms, created_at_ms, updated_at_ms)
        SELECT ${ctx.ids.uuid()}, s.region, (SELECT coalesce(max(number), 0) + 1 FROM server_migrations WHERE region = s.region),
          s.id, ${ctx.actor.userId}, ${ctx.actor.projectId ?? ''}, ${ctx.requestId}, 'evacuation', 'accepted', 'starting',
          ${source}, ${target?.id ?? ''}, ${lost?.name ?? ''}, ${target?.name ?? ''}, s.epoch + 1, ${ownFlavor}, ${ownFlavor},
          ${JSON.stringify(server.claim)}, ${JSON.stringify(claim)}, ${held}, ${held === null ? null : source},
          ${now + TASK_DEADLINES_MS.rebuild_spawning}, ${now}, ${now}
        FROM servers s WHERE s.id = ${id}`),
      ...ports.statements,
      ctx.db.run(sql`
        INSERT INTO desired (runner_id, kind, id, generation, spec, deleted)
        SELECT runners.id, 'server', src.id, runners.generation, json_set(src.spec, '$.epoch', s.epoch + 1, '$.incoming', json('null'),
          '$.old_disk', json('null'), '$.rescue', json('null'), '$.power', CASE s.vm_state WHEN 'stopped' THEN 'off' ELSE 'on' END,
          '$.metadata.availability_zone', runners.zone), 0
        FROM runners, servers s JOIN desired src ON src.runner_id = ${source} AND src.kind = 'server' AND src.id = s.id
        WHERE runners.id = ${target?.id ?? ''} AND s.id = ${id}
        ON CONFLICT (runner_id, kind, id) DO UPDATE SET generation = excluded.generation, spec = excluded.spec, deleted = 0`),
      takePortsFrom(ctx, id, source),
      ...moveServerPorts(ctx, id, target?.id ?? ''),
      dropDesired(ctx.db, 'server', sql`desired.id = ${id} AND desired.runner_id = ${source}`),
      // A machine that is gone for ever will never say that it let go.
      ctx.db.run(sql`
        DELETE FROM desired WHERE kind = 'server' AND id = ${id} AND runner_id IN (SELECT id FROM runners WHERE state = 'removed')`),
      ctx.db.run(sql`
        UPDATE servers SET runner_id = ${target?.id ?? null}, epoch = epoch + 1, zone = ${target?.zone ?? ''}, power_state = 0, fault = NULL,
          vm_state = CASE vm_state WHEN 'error' THEN 'active' ELSE vm_state END,
          claimed_vcpus = ${claim.vcpus}, claimed_memory_mib = ${claim.memoryMib}, claimed_disk_gib = ${claim.diskGib}
        WHERE id = ${id}`),
      beginTask(ctx, id, 'rebuild_spawning'),
    ],
    touches: sql`(runners.id IN (${source}, ${target?.id ?? ''}) OR ${ports.touches})`,
    detail: { from: lost?.name ?? null, to: target?.name ?? null },
    refusals: {
      state: async () => invalidState('evacuate', await findServer(ctx, id), ALLOWED),
      fenced: () => badRequest(`Compute service of ${lost?.name ?? 'the server'} is still in use.`),
      placed: () => badRequest('refusal' in placed ? placed.refusal : ''),
    },
  });
}

/** A group but for what it has on a lost machine: that is to be evacuated, too, and holds nobody there. */
const groupWithout = (group: PlacedGroup, lost: Lost): PlacedGroup => ({
  ...group,
  hosts: new Map([...group.hosts].filter(([id]) => id !== lost.id)),
});

/** What it took before its machine was given up is what its flavor says. */
const claimOf = ({ claim, flavor }: Mover) =>
  claim.vcpus > 0 ? claim : { vcpus: flavor.vcpus, memoryMib: flavor.ramMib, diskGib: Math.max(1, flavor.diskGib) };

/** The machine that has what a server was made of: its own, or one that was removed with it. */
async function lostHostOf(ctx: ActorContext, id: string): Promise<Lost | null> {
  const [row] = await ctx.db.all<Lost>(sql`
    SELECT r.id, r.name, (r.forced_down OR r.state = 'removed') AS fenced FROM servers s
    JOIN desired d ON d.kind = 'server' AND d.id = s.id AND d.deleted = 0 JOIN runners r ON r.id = d.runner_id
    WHERE s.id = ${id} AND s.region = ${ctx.region} AND (r.id = s.runner_id OR (s.runner_id IS NULL AND r.state = 'removed'))`);
  return row ?? null;
}

function targetOf(
  ctx: ActorContext,
  of: {
    server: Mover;
    lost: Lost | null;
    hosts: readonly Host[];
    group: PlacedGroup | null;
    host: string | null;
    attempt: number;
  },
): { host: Host } | { refusal: string } {
  const { server, lost, hosts, group, host, attempt } = of;
  if (host !== null && host === lost?.name) return { refusal: `The target host can't be the same one.` };
  if (host !== null && !hosts.some(({ name }) => name === host)) return { refusal: `Compute host ${host} not found.` };
  const need = {
    ...claimOf(server),
    zone: host === null && server.zone !== '' ? server.zone : null,
    host,
    within: null,
    without: new Set([...server.leaving, ...(lost ? [lost.id] : [])]),
    group,
    demands: demandsOf(server.flavor, server, hosts),
  };
  return pickHost(hosts, need, { nowMs: ctx.clock.nowMs(), attempt, random: cryptoRandom });
}
