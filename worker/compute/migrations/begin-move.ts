import { type SQL, sql } from 'drizzle-orm';
import type { FlavorSnapshot } from '../../../db/schema/compute.ts';
import type { serverMigrations } from '../../../db/schema/server-migrations.ts';
import { AssertionFailed, assertThat, type Statement } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { ApiError, badRequest } from '../../http/errors.ts';
import { authorize } from '../../http/policy.ts';
import { cryptoRandom } from '../../network/ipam/random.ts';
import type { CarriedNetwork } from '../../network/networks/carried-networks.ts';
import { putServerPorts, readCarriedOfServer } from '../../network/server-ports.ts';
import { Reads } from '../http/reads.ts';
import { type ComputeAction, policy } from '../policy.ts';
import { type Demand, flavorDemands } from '../schedule/demands.ts';
import type { Host } from '../schedule/filters.ts';
import { CLAIM, type Claim, hostReads, hostsOf, takeClaim } from '../schedule/hosts.ts';
import { networkDemands } from '../schedule/network-demands.ts';
import { pickHost } from '../schedule/pick-host.ts';
import { assertGroup, GROUP, type PlacedGroup, placedGroupOf, placedGroupRead } from '../server-groups/placement.ts';
import { type ActionName, startAction } from '../servers/actions.ts';
import { ownServer, serverNotFound } from '../servers/find-server.ts';
import type { TaskState } from '../servers/statuses.ts';
import { beginTask, TASK_DEADLINES_MS } from '../servers/tasks.ts';
import { type Allowed, commitTransition } from '../servers/transition.ts';
import type { Step } from './moves.ts';

/** Races for a host's last room that one move may lose before it gives up. */
const RACES_MAX = 8;

/** A server as far as a move decides by it. */
export interface Mover {
  id: string;
  projectId: string;
  runnerId: string | null;
  host: string | null;
  zone: string;
  flavor: FlavorSnapshot;
  claim: Claim;
  /** Machines that are still to let go of a copy: they can take no new one. */
  leaving: string[];
  /** What carries its networks. */
  networks: CarriedNetwork[];
}

export interface MoveOrder {
  /** Nova's name of the action, as its messages have it. */
  verb: string;
  policyAction: ComputeAction;
  allowed: Allowed;
  type: (typeof serverMigrations.$inferInsert)['type'];
  action: ActionName;
  task: TaskState;
  /** Nova's word for a move that has just begun. */
  status: string;
  /** The host by name that an operator asks for; null for any but its own. */
  host: string | null;
  /** Whether its own host is as good as another. */
  sameHost?: boolean;
  /** What it is to be; null for no change. */
  flavor: FlavorSnapshot | null;
  /** What else the batch holds. */
  also?: Statement[];
}

/** Reads a server that is to move, with the region's hosts and its group. @throws ApiError 404 */
export async function readMover(
  ctx: ActorContext,
  id: string,
): Promise<{ server: Mover; hosts: Host[]; group: PlacedGroup | null }> {
  const reads = new Reads();
  const ofServer = reads.add(
    ctx.db.all(sql`
      SELECT s.id, s.project_id AS projectId, s.runner_id AS runnerId, r.name AS host, s.zone, s.flavor,
        json_object('vcpus', s.claimed_vcpus, 'memoryMib', s.claimed_memory_mib, 'diskGib', s.claimed_disk_gib) AS claim,
        (SELECT json_group_array(d.runner_id) FROM desired d WHERE d.kind = 'server' AND d.id = s.id AND d.deleted = 1) AS leaving
      FROM servers s LEFT JOIN runners r ON r.id = s.runner_id WHERE ${ownServer(ctx, id)}`),
  );
  const ofHosts = reads.add(...hostReads(ctx));
  const ofGroup = reads.add(placedGroupRead(ctx, { serverId: id }));
  const ofNetworks = reads.add(readCarriedOfServer(ctx, id));
  await reads.run(ctx.db);
  const [row] = ofServer()[0] as (Omit<Mover, 'flavor' | 'claim' | 'leaving' | 'networks'> & Record<string, string>)[];
  if (!row) throw serverNotFound(id);
  const json = <T>(text: string | undefined): T => JSON.parse(text ?? 'null') as T;
  const server: Mover = {
    ...(row as unknown as Mover),
    flavor: json(row.flavor),
    claim: json(row.claim),
    leaving: json(row.leaving),
    networks: ofNetworks()[0] as CarriedNetwork[],
  };
  return { server, hosts: hostsOf(ofHosts()), group: placedGroupOf(ofGroup()[0]) };
}

/**
 * Begins a move: picks the host as for a new server, takes its claim beside the one that the server has, and has it make ready.
 * A change of size that stays on its machine begins at once.
 * @throws ApiError 400 no host is good, or no host of that name; 404; 409 locked, or in another state
 */
export async function beginMove(ctx: ActorContext, id: string, order: MoveOrder): Promise<void> {
  authorize(ctx, policy, order.policyAction);
  for (let attempt = 0; attempt < RACES_MAX; attempt += 1) {
    try {
      return await attemptMove(ctx, id, order, attempt);
    } catch (error) {
      if (!(error instanceof AssertionFailed && [CLAIM, GROUP].includes(error.assertion))) throw error;
    }
  }
  throw new ApiError(503, 'Too many servers are being placed at once: try again.', { headers: { 'retry-after': '1' } });
}

async function attemptMove(ctx: ActorContext, id: string, order: MoveOrder, attempt: number): Promise<void> {
  const { server, hosts, group } = await readMover(ctx, id);
  const claim = order.flavor ? claimFor(order.flavor, server) : server.claim;
  const placed = hostFor(ctx, { order, server, hosts, group, claim, attempt });
  // One that is not placed is refused for its state, where that is what stands in the way.
  const target = 'host' in placed ? placed.host : null;
  const stays = target !== null && target.id === server.runnerId;
  const step = target === null ? null : stays ? resizeInPlace(ctx, id, claim) : makeReady(ctx, id, target, order);
  await commitTransition(ctx, {
    id,
    verb: order.verb,
    policyAction: order.policyAction,
    allowed: order.allowed,
    statements: [
      ...(order.also ?? []),
      ...(target && step
        ? [
            ...takeClaim(ctx, target, claim),
            ...(group ? assertGroup(ctx, group, { serverId: id, runnerId: target.id }) : []),
            insertMove(ctx, server, { order, target, claim, stays }),
            ...step.statements,
            beginTask(ctx, id, stays ? 'resize_finish' : order.task),
            ...startAction(ctx, { serverId: id, action: order.action }),
          ]
        : [assertThat(ctx.db, 'placed', sql`0`)]),
    ],
    ...(step ? { touches: step.touches } : {}),
    detail: { type: order.type, host: target?.name ?? null },
    refusals: { placed: () => badRequest('refusal' in placed ? placed.refusal : '') },
  });
}

/** A flavor without a disk leaves the server with the one that it has. */
const claimFor = (flavor: FlavorSnapshot, { claim }: Mover): Claim => ({
  vcpus: flavor.vcpus,
  memoryMib: flavor.ramMib,
  diskGib: flavor.diskGib || claim.diskGib,
});

function hostFor(
  ctx: ActorContext,
  of: {
    order: MoveOrder;
    server: Mover;
    hosts: readonly Host[];
    group: PlacedGroup | null;
    claim: Claim;
    attempt: number;
  },
): { host: Host } | { refusal: string } {
  const { order, server, hosts, claim, attempt } = of;
  if (order.host !== null) {
    if (!hosts.some(({ name }) => name === order.host))
      return { refusal: `Compute host ${order.host} could not be found.` };
    if (order.host === server.host && !order.sameHost)
      return { refusal: `Unable to migrate instance (${server.id}) to current host (${order.host}).` };
  }
  const own = server.runnerId === null ? [] : [server.runnerId];
  const need = {
    ...claim,
    // Whoever names a host may take the server out of its zone.
    zone: order.host === null && server.zone !== '' ? server.zone : null,
    host: order.host,
    within: null,
    without: new Set([...server.leaving, ...(order.sameHost ? [] : own)]),
    group: groupWithout(of.group, server),
    demands: demandsOf(order.flavor ?? server.flavor, server, hosts),
  };
  return pickHost(hosts, need, { nowMs: ctx.clock.nowMs(), attempt, random: cryptoRandom });
}

/** What the flavor and the networks ask of a host, and that it is of the kind that the server is on: others do not know its guest. */
export function demandsOf(
  flavor: FlavorSnapshot,
  { runnerId, networks }: Pick<Mover, 'runnerId' | 'networks'>,
  hosts: readonly Host[],
): Demand[] {
  const own = hosts.find(({ id }) => id === runnerId)?.hypervisor;
  const alike: Demand[] = own ? [{ holds: (host) => host.hypervisor === own, refused: `not of the kind ${own}` }] : [];
  return [...flavorDemands(flavor.extraSpecs), ...networkDemands(networks), ...alike];
}

/** A group as the others of it see it: the server itself does not stand in its own way. */
function groupWithout(group: PlacedGroup | null, { runnerId }: Mover): PlacedGroup | null {
  if (!group || runnerId === null) return group;
  const hosts = new Map(group.hosts);
  const left = (hosts.get(runnerId) ?? 0) - 1;
  if (left > 0) hosts.set(runnerId, left);
  else hosts.delete(runnerId);
  return { ...group, hosts };
}

function insertMove(
  ctx: ActorContext,
  server: Mover,
  of: { order: MoveOrder; target: Host; claim: Claim; stays: boolean },
): Statement {
  const { order, target, claim, stays } = of;
  const now = ctx.clock.nowMs();
  const phase = stays ? 'starting' : 'preparing';
  const status = stays ? 'post-migrating' : order.status;
  // One that stays has been given its new claim already.
  const held = stays ? 'old' : 'new';
  return ctx.db.run(sql`
    INSERT INTO server_migrations (uuid, region, number, server_id, user_id, project_id, request_id, type, status, phase,
      source_runner_id, target_runner_id, source_host, target_host, epoch, old_flavor, new_flavor, old_claim, new_claim,
      held, held_runner_id, deadline_ms, created_at_ms, updated_at_ms)
    SELECT ${ctx.ids.uuid()}, s.region, (SELECT coalesce(max(number), 0) + 1 FROM server_migrations WHERE region = s.region),
      s.id, ${ctx.actor.userId}, ${ctx.actor.projectId ?? ''}, ${ctx.requestId}, ${order.type}, ${status}, ${phase},
      r.id, ${target.id}, r.name, ${target.name}, s.epoch + 1, s.flavor, ${order.flavor ? JSON.stringify(order.flavor) : sql`s.flavor`},
      ${JSON.stringify(server.claim)}, ${JSON.stringify(claim)}, ${held}, ${target.id},
      ${now + TASK_DEADLINES_MS.resize_prep}, ${now}, ${now}
    FROM servers s JOIN runners r ON r.id = s.runner_id WHERE s.id = ${server.id}`);
}

const openMove = (id: string) => sql`m.server_id = ${id} AND m.phase NOT IN ('ending', 'ended')`;
const ofMove = (id: string, member: string): SQL =>
  sql`(SELECT ${sql.raw(`m.${member}`)} FROM server_migrations m WHERE ${openMove(id)})`;

/** The target is told to make ready for the server; its own host hears nothing yet. */
function makeReady(ctx: ActorContext, id: string, target: Host, order: MoveOrder): Step {
  const ports = putServerPorts(ctx, id, target.id);
  const what = order.type === 'live-migration' ? 'memory' : 'disk';
  return {
    touches: sql`(runners.id = ${target.id} OR ${ports.touches})`,
    statements: [
      ...ports.statements,
      ctx.db.run(sql`
        INSERT INTO desired (runner_id, kind, id, generation, spec, deleted)
        SELECT runners.id, 'server', src.id, runners.generation, json_set(src.spec, '$.epoch', ${ofMove(id, 'epoch')},
          '$.incoming', json_object('move_id', ${ofMove(id, 'uuid')}, 'what', ${what}, 'key', '')), 0
        FROM runners, servers s JOIN desired src ON src.runner_id = s.runner_id AND src.kind = 'server' AND src.id = s.id
        WHERE runners.id = ${target.id} AND s.id = ${id}
        ON CONFLICT (runner_id, kind, id) DO UPDATE SET generation = excluded.generation, spec = excluded.spec, deleted = 0`),
    ],
  };
}

/** The host is told of the new size; it keeps the disk as it was. */
function resizeInPlace(ctx: ActorContext, id: string, claim: Claim): Step {
  return {
    touches: sql`runners.id = (SELECT runner_id FROM servers WHERE id = ${id})`,
    statements: [
      ctx.db.run(sql`
        UPDATE desired SET generation = (SELECT runners.generation FROM runners WHERE runners.id = desired.runner_id),
          spec = json_set(spec, '$.epoch', ${ofMove(id, 'epoch')}, '$.old_disk', 'keep', '$.vcpus', ${claim.vcpus},
            '$.memory_mib', ${claim.memoryMib}, '$.disk_gib', ${claim.diskGib}, '$.metadata.instance_type', ${ofMove(id, 'new_flavor')} ->> '$.name')
        WHERE kind = 'server' AND id = ${id} AND deleted = 0 AND runner_id = (SELECT s.runner_id FROM servers s WHERE s.id = ${id})`),
      ctx.db.run(sql`
        UPDATE servers SET epoch = ${ofMove(id, 'epoch')}, flavor = ${ofMove(id, 'new_flavor')}, claimed_vcpus = ${claim.vcpus},
          claimed_memory_mib = ${claim.memoryMib}, claimed_disk_gib = ${claim.diskGib}, updated_at_ms = ${ctx.clock.nowMs()}
        WHERE id = ${id}`),
    ],
  };
}
