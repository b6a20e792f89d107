import { sql } from 'drizzle-orm';
import { AssertionFailed, commit } from '../../http/commit.ts';
import type { ProjectContext } from '../../http/context.ts';
import { ApiError, badRequest } from '../../http/errors.ts';
import { authorize } from '../../http/policy.ts';
import { cryptoRandom, type Random } from '../../network/ipam/random.ts';
import { dnsLabel } from '../../network/ports/dns-label.ts';
import { lostRace, type PortPlan, planServerPorts, type ServerPortsInput } from '../../network/server-ports.ts';
import { policy } from '../policy.ts';
import type { Host, Need } from '../schedule/filters.ts';
import { CLAIM, takeClaim } from '../schedule/hosts.ts';
import { pickHost } from '../schedule/pick-host.ts';
import { finishedAction, startAction } from './actions.ts';
import { claimOf } from './flavor-fits.ts';
import { reservationId } from './generated-text.ts';
import type { NewServer } from './new-server.ts';
import { type Blueprint, insertPlaced, insertUnplaced, putServer } from './plan-server.ts';
import { readForCreate } from './read-for-create.ts';

const ACTION = 'os_compute_api:servers:create';
/** Races for a host's last room, or for an address, that one create may lose before it gives up. */
const RACES_MAX = 12;
/** A label of DNS. */
const HOSTNAME_CHARS_MAX = 63;

export interface CreatedServers {
  /** The first, which Nova's answer names. */
  id: string;
  reservationId: string;
}

/**
 * Makes the servers of a request. One that no host has room for is made too, in ERROR, with a fault that says why.
 * @throws ApiError 400 what Nova refuses of flavor, image, key, networks or placement; 409 a port or network as Nova
 */
export async function createServers(
  ctx: ProjectContext,
  wanted: NewServer,
  random: Random = cryptoRandom,
): Promise<CreatedServers> {
  authorize(ctx, policy, ACTION, { projectId: ctx.actor.projectId });
  const reservation = reservationId(random);
  const ids = Array.from({ length: wanted.count }, () => ctx.ids.uuid());
  for (const [index, id] of ids.entries()) {
    await createOne(ctx, wanted, { id, index, reservationId: reservation }, random);
  }
  return { id: ids[0] ?? '', reservationId: reservation };
}

interface Order {
  id: string;
  index: number;
  reservationId: string;
}

async function createOne(ctx: ProjectContext, wanted: NewServer, order: Order, random: Random): Promise<void> {
  let lost: unknown;
  for (let attempt = 0; attempt < RACES_MAX; attempt++) {
    try {
      return await attemptOne(ctx, wanted, order, { attempt, random });
    } catch (error) {
      if (!(error instanceof AssertionFailed && error.assertion === CLAIM) && !lostRace(error)) throw error;
      lost = error;
    }
  }
  throw new ApiError(503, 'Too many servers are being created at once: try again.', {
    headers: { 'retry-after': '1' },
    cause: lost,
  });
}

/** Reads in one batch, decides, and writes in one batch. */
async function attemptOne(
  ctx: ProjectContext,
  wanted: NewServer,
  order: Order,
  chance: { attempt: number; random: Random },
): Promise<void> {
  const names = namesOf(wanted, order);
  const ports: ServerPortsInput = {
    serverId: order.id,
    hostname: names.hostname,
    zone: wanted.zone ?? '',
    requests: wanted.networks,
    securityGroups: wanted.securityGroups,
  };
  const found = await readForCreate(ctx, wanted, ports, chance.random);
  const claim = claimOf(ctx, found.flavor, found.image);
  const blueprint: Blueprint = { ...order, ...names, launchIndex: order.index, wanted, claim, ...found };
  checkPlacement(wanted, found.hosts);
  const picked = pickHost(found.hosts, needOf(wanted, claim, found.hinted), { nowMs: ctx.clock.nowMs(), ...chance });
  const host = 'host' in picked ? picked.host : null;
  const input = { ...ports, zone: host?.zone ?? ports.zone };
  const planned = await planPorts(ctx, input, found.portRows, { host, order, random: chance.random });
  if ('refusal' in picked) await commitUnplaced(ctx, blueprint, picked.refusal);
  else if ('refusal' in planned) await commitUnplaced(ctx, blueprint, planned.refusal);
  else await commitPlaced(ctx, blueprint, picked.host, planned);
}

async function commitPlaced(ctx: ProjectContext, blueprint: Blueprint, host: Host, ports: PortPlan): Promise<void> {
  const { id, name, claim } = blueprint;
  await commit(ctx, {
    audit: { action: ACTION, targetType: 'server', targetId: id, detail: { name, host: host.name } },
    statements: [
      ...takeClaim(ctx, host, claim),
      insertPlaced(ctx, blueprint, host),
      ...ports.statements,
      putServer(ctx, blueprint, host, ports.portIds),
      ...startAction(ctx, { serverId: id, action: 'create' }),
    ],
    touches: sql`runners.id = ${host.id} OR ${ports.touches}`,
  });
}

/** A further server of a request that finds no address goes to ERROR, as the first has been promised already. */
async function planPorts(
  ctx: ProjectContext,
  input: ServerPortsInput,
  rows: unknown[],
  of: { host: Host | null; order: Order; random: Random },
) {
  try {
    return await planServerPorts(ctx, input, rows, of.host?.id ?? '', of.random);
  } catch (error) {
    if (of.order.index === 0 || !(error instanceof ApiError)) throw error;
    return { refusal: error.message };
  }
}

async function commitUnplaced(ctx: ProjectContext, blueprint: Blueprint, why: string): Promise<void> {
  await commit(ctx, {
    audit: {
      action: ACTION,
      targetType: 'server',
      targetId: blueprint.id,
      detail: { name: blueprint.name, failed: why },
    },
    statements: [
      insertUnplaced(ctx, blueprint, why),
      ...finishedAction(ctx, {
        serverId: blueprint.id,
        action: 'create',
        event: 'conductor_schedule_and_build_instances',
        failed: why,
      }),
    ],
  });
}

/** One of several is told apart by a number, as in Nova. */
function namesOf(wanted: NewServer, order: Order): { name: string; hostname: string } {
  const suffix = wanted.count > 1 ? `-${order.index + 1}` : '';
  const label = (wanted.hostname ?? dnsLabel(wanted.name)).slice(0, HOSTNAME_CHARS_MAX - suffix.length);
  return { name: `${wanted.name}${suffix}`, hostname: label === '' ? `server-${order.id}` : `${label}${suffix}` };
}

/** @throws ApiError 400 a zone or a host that is not there to be chosen */
function checkPlacement(wanted: NewServer, hosts: readonly Host[]): void {
  if (wanted.host !== null && !hosts.some((host) => host.name === wanted.host)) {
    throw badRequest(`Compute host ${wanted.host} could not be found.`);
  }
  if (wanted.zone !== null && !hosts.some((host) => host.zone === wanted.zone && host.state === 'enabled')) {
    throw badRequest('The requested availability zone is not available');
  }
}

function needOf(wanted: NewServer, claim: Blueprint['claim'], hinted: { id: string; runnerId: string | null }[]): Need {
  const hostsOf = (ids: readonly string[]) =>
    new Set(hinted.flatMap(({ id, runnerId }) => (ids.includes(id) && runnerId !== null ? [runnerId] : [])));
  return {
    ...claim,
    zone: wanted.zone,
    host: wanted.host,
    within: wanted.sameHost.length > 0 ? hostsOf(wanted.sameHost) : null,
    without: hostsOf(wanted.differentHost),
  };
}
