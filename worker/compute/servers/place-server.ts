import { sql } from 'drizzle-orm';
import { admit } from '../../billing/admission/admit.ts';
import { requireSolvent } from '../../billing/admission/require-solvent.ts';
import { commit, type Statement } from '../../http/commit.ts';
import type { ProjectContext } from '../../http/context.ts';
import { ApiError } from '../../http/errors.ts';
import type { Random } from '../../network/ipam/random.ts';
import { dnsLabel } from '../../network/ports/dns-label.ts';
import { overQuota } from '../../network/quotas/assert-quota.ts';
import { type PortPlan, planServerPorts, type ServerPortsInput } from '../../network/server-ports.ts';
import { PORTS_EXCEEDED } from '../faults.ts';
import { assertRequestLimits } from '../quotas/request-limits.ts';
import { assertQuota } from '../quotas/usage.ts';
import type { Host } from '../schedule/filters.ts';
import { takeClaim } from '../schedule/hosts.ts';
import { pickHost } from '../schedule/pick-host.ts';
import { assertGroup, joinGroup } from '../server-groups/placement.ts';
import { finishedAction, startAction } from './actions.ts';
import { claimOf } from './flavor-fits.ts';
import type { NewServer } from './new-server.ts';
import { limitedOf } from './personality.ts';
import { checkPlacement, needOf } from './placement.ts';
import { type Blueprint, placed, putServer, rowOf, unplaced } from './plan-server.ts';
import { type Found, readForCreate } from './read-for-create.ts';
import { shareOf } from './share.ts';

export const CREATE_ACTION = 'os_compute_api:servers:create';
/** A label of DNS. */
const HOSTNAME_CHARS_MAX = 63;

/** One server of a request. */
export interface Order {
  id: string;
  index: number;
  reservationId: string;
}
export interface Chance {
  /** How many races this server has lost. */
  attempt: number;
  random: Random;
}
interface Draft {
  blueprint: Blueprint;
  ports: ServerPortsInput;
  found: Found;
}

/** Reads all that a server is made of, in one batch. @throws ApiError as `createServers` */
export async function draftServer(
  ctx: ProjectContext,
  wanted: NewServer,
  order: Order,
  random: Random,
): Promise<Draft> {
  const names = namesOf(wanted, order);
  const ports: ServerPortsInput = {
    serverId: order.id,
    // Neutron's name of a port is a label; the domain is the network's.
    hostname: names.hostname.split('.')[0] ?? '',
    zone: wanted.zone ?? '',
    requests: wanted.networks,
    securityGroups: wanted.securityGroups,
  };
  const found = await readForCreate(ctx, wanted, ports, random);
  const claim = claimOf(ctx, found.flavor, found.image);
  checkPlacement(wanted, found.hosts);
  return { blueprint: { ...order, ...names, launchIndex: order.index, wanted, claim, ...found }, ports, found };
}

/** Reads in one batch, decides, and writes in one batch. */
export async function placeServer(ctx: ProjectContext, wanted: NewServer, order: Order, chance: Chance): Promise<void> {
  const { blueprint, ports, found } = await draftServer(ctx, wanted, order, chance.random);
  const need = needOf(wanted, blueprint.claim, found);
  const picked = pickHost(found.hosts, need, { nowMs: ctx.clock.nowMs(), ...chance });
  const host = 'host' in picked ? picked.host : null;
  const input = { ...ports, zone: host?.zone ?? ports.zone };
  const planned = await planPorts(ctx, input, found.portRows, { host, order, random: chance.random });
  if ('refusal' in picked) await commitUnplaced(ctx, blueprint, picked.refusal);
  else if ('refusal' in planned) await commitUnplaced(ctx, blueprint, planned.refusal);
  else {
    await commitPlaced(ctx, blueprint, picked.host, planned).catch(async (error: unknown) => {
      // One of several has been promised already.
      if (wanted.count === 1 || overQuota(error) !== 'port') throw error;
      await commitUnplaced(ctx, blueprint, PORTS_EXCEEDED);
    });
  }
}

/** What must hold for new servers whatever becomes of them, and their places in their group. */
export function admission(ctx: ProjectContext, blueprint: Blueprint, ids: readonly string[]): Statement[] {
  const { wanted, flavor } = blueprint;
  return [
    assertQuota(ctx, shareOf(flavor, ids.length)),
    ...assertRequestLimits(ctx, { metadata_items: Object.keys(wanted.metadata).length, ...limitedOf(wanted.files) }),
    ...(wanted.groupId === null ? [] : joinGroup(ctx, wanted.groupId, ids)),
    ...requireSolvent(ctx, ctx.actor.projectId),
    ...ids.flatMap((resourceId) => admit(ctx, blueprint.offer, { projectId: ctx.actor.projectId, resourceId })),
  ];
}

/** One of several was admitted with the others. */
const ownAdmission = (ctx: ProjectContext, blueprint: Blueprint) =>
  blueprint.wanted.count > 1 ? [] : admission(ctx, blueprint, [blueprint.id]);

async function commitPlaced(ctx: ProjectContext, blueprint: Blueprint, host: Host, ports: PortPlan): Promise<void> {
  const { id, name, claim, group } = blueprint;
  await commit(ctx, {
    audit: { action: CREATE_ACTION, targetType: 'server', targetId: id, detail: { name, host: host.name } },
    statements: [
      ...ownAdmission(ctx, blueprint),
      ...takeClaim(ctx, host, claim),
      ...(group ? assertGroup(ctx, group, { serverId: id, runnerId: host.id }) : []),
      ...rowOf(ctx, blueprint, placed(ctx, blueprint, host)),
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
  const { id, name } = blueprint;
  await commit(ctx, {
    audit: { action: CREATE_ACTION, targetType: 'server', targetId: id, detail: { name, failed: why } },
    statements: [
      ...ownAdmission(ctx, blueprint),
      ...rowOf(ctx, blueprint, unplaced(ctx, blueprint, why)),
      ...finishedAction(ctx, {
        serverId: id,
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
  if (wanted.hostname !== null) return { name: `${wanted.name}${suffix}`, hostname: wanted.hostname };
  const label = dnsLabel(wanted.name).slice(0, HOSTNAME_CHARS_MAX - suffix.length);
  return { name: `${wanted.name}${suffix}`, hostname: label === '' ? `server-${order.id}` : `${label}${suffix}` };
}
