import { sql } from 'drizzle-orm';
import { servers } from '../../../db/schema/compute.ts';
import { assertThat } from '../../http/commit.ts';
import type { ActorContext, ProjectContext } from '../../http/context.ts';
import { ApiError, badRequest, conflict, notFound } from '../../http/errors.ts';
import { authorize } from '../../http/policy.ts';
import { cryptoRandom, type Random } from '../../network/ipam/random.ts';
import type { CarriedNetwork } from '../../network/networks/carried-networks.ts';
import { carriedOf, lostRace, type PortRequest, planServerPorts, serverPortReads } from '../../network/server-ports.ts';
import { Reads } from '../http/reads.ts';
import { policy } from '../policy.ts';
import type { Host } from '../schedule/filters.ts';
import { hostReads, hostsOf } from '../schedule/hosts.ts';
import { networkDemands } from '../schedule/network-demands.ts';
import { finishedAction } from '../servers/actions.ts';
import { hostOf, patchDesiredMembers } from '../servers/desired-server.ts';
import { findServer, ownServer, serverNotFound } from '../servers/find-server.ts';
import { type Allowed, commitTransition, invalidState } from '../servers/transition.ts';
import { PORTS_MAX } from './find-interfaces.ts';

const ACTION = 'os_compute_api:os-attach-interfaces:create';
/** States in which a guest takes a port, at once or at its next start. */
export const PLUGGABLE: Allowed = { vmStates: ['active', 'paused', 'stopped'], launched: true };
/** The tags of a guest's devices in its spec. */
export const DEVICE_TAGS = sql`coalesce(json_extract(spec, '$.metadata.device_tags'), json('{}'))`;
const RACES_MAX = 12;

/**
 * Plugs a port into a server: one that exists, or a new one on a network. Its guest sees it when its host has plugged it.
 * @returns the port's id
 * @throws ApiError 400, 404 or 409 as Nova: no such network or port, an address in use, a server in another state
 */
export async function attachInterface(
  ctx: ActorContext,
  serverId: string,
  wanted: PortRequest,
  random: Random = cryptoRandom,
): Promise<string> {
  authorize(ctx, policy, ACTION);
  for (let attempt = 1; ; attempt++) {
    try {
      return await attemptOne(ctx, serverId, wanted, random);
    } catch (error) {
      if (!lostRace(error) || attempt >= RACES_MAX) throw asNova(error);
    }
  }
}

async function attemptOne(ctx: ActorContext, serverId: string, wanted: PortRequest, random: Random): Promise<string> {
  const [row] = await ctx.db
    .select()
    .from(servers)
    .where(ownServer(ctx, serverId, 'servers'));
  if (!row) throw serverNotFound(serverId);
  if (row.runnerId === null) throw invalidState('attach_interface', await findServer(ctx, serverId), PLUGGABLE);
  // What is made is the server's project's, whoever asks.
  const own: ProjectContext = { ...ctx, actor: { ...ctx.actor, projectId: row.projectId } };
  const input = {
    serverId,
    hostname: row.hostname,
    zone: row.zone,
    requests: wanted.networkId === undefined && wanted.portId === undefined ? ('auto' as const) : [wanted],
    securityGroups: [],
  };
  const reads = new Reads();
  const ofPorts = reads.add(...serverPortReads(own, input, random));
  const ofHost = reads.add(...hostReads(ctx, row.runnerId));
  await reads.run(ctx.db);
  refuseUnreached(carriedOf(ofPorts()), hostsOf(ofHost()));
  const plan = await planServerPorts(own, input, ofPorts(), row.runnerId, random);
  const [portId] = plan.portIds;
  if (portId === undefined) {
    throw badRequest(`No specific network was requested and none are available for project '${row.projectId}'.`);
  }
  await commitTransition(ctx, {
    id: serverId,
    verb: 'attach_interface',
    policyAction: ACTION,
    allowed: PLUGGABLE,
    statements: [
      assertThat(
        ctx.db,
        'room',
        sql`EXISTS (SELECT 1 FROM desired WHERE kind = 'server' AND id = ${serverId} AND deleted = 0
        AND json_array_length(spec, '$.ports') < ${PORTS_MAX})`,
      ),
      ...plan.statements,
      patchDesiredMembers(ctx.db, serverId, {
        '$.ports': sql`json_insert(json_extract(spec, '$.ports'), '$[#]', ${portId})`,
        ...(wanted.tag === undefined
          ? {}
          : { '$.metadata.device_tags': sql`json_set(${DEVICE_TAGS}, ${`$."${portId}"`}, ${wanted.tag})` }),
      }),
      ...finishedAction(ctx, { serverId, action: 'attach_interface', event: 'compute_attach_interface' }),
    ],
    touches: sql`${hostOf(serverId)} OR ${plan.touches}`,
    detail: { portId },
    refusals: { room: () => badRequest(`A server has at most ${PORTS_MAX} ports.`) },
  });
  return portId;
}

/** A guest stays where it is: its host must be on what carries the network. @throws ApiError 400 */
function refuseUnreached(networks: readonly CarriedNetwork[], [host]: readonly Host[]): void {
  const unmet = networkDemands(networks).find((demand) => host !== undefined && !demand.holds(host));
  if (unmet) throw badRequest(`The port cannot be bound: the server's host is ${unmet.refused}.`);
}

/** A refusal of a port as Nova says it of a server that is there, which is not as it says it of a new one. */
function asNova(error: unknown): unknown {
  if (!(error instanceof ApiError)) return error;
  switch (error.type) {
    case 'PortNotFound':
    case 'NetworkNotFound':
      return notFound(error.message);
    case 'FixedIpAlreadyInUse':
      return conflict(error.message);
    case 'NoMoreFixedIps':
      return badRequest(error.message);
    case 'NetworkAmbiguous':
      return badRequest(
        'More than one possible network found. Specify network ID(s) to select which one(s) to connect to.',
      );
    default:
      return error;
  }
}
