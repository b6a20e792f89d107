import { AssertionFailed } from '../../http/commit.ts';
import type { ProjectContext } from '../../http/context.ts';
import { ApiError, forbidden } from '../../http/errors.ts';
import { authorize } from '../../http/policy.ts';
import { cryptoRandom, type Random } from '../../network/ipam/random.ts';
import { lostRace } from '../../network/server-ports.ts';
import { policy } from '../policy.ts';
import { requestLimitRefusals } from '../quotas/request-limits.ts';
import { overrunOf, QUOTA } from '../quotas/usage.ts';
import { CLAIM } from '../schedule/hosts.ts';
import { GROUP, GROUP_MEMBERS } from '../server-groups/placement.ts';
import { reservationId } from './generated-text.ts';
import type { NewServer } from './new-server.ts';
import { CREATE_ACTION, type Order, placeServer } from './place-server.ts';
import { RESERVED } from './plan-server.ts';
import { reserveServers } from './reserve-servers.ts';
import { sharesOf } from './share.ts';

/** Races for a host's last room, or for an address, that one create may lose before it gives up. */
const RACES_MAX = 12;

export interface CreatedServers {
  /** The first, which Nova's answer names. */
  id: string;
  reservationId: string;
}

/**
 * Makes the servers of a request. One that no host has room for is made too, in ERROR, with a fault that says why.
 * @throws ApiError 400 what Nova refuses of flavor, image, key, networks or placement; 403 more than quotas allow;
 *   409 a port or network as Nova
 */
export async function createServers(
  ctx: ProjectContext,
  wanted: NewServer,
  random: Random = cryptoRandom,
): Promise<CreatedServers> {
  authorize(ctx, policy, CREATE_ACTION, { projectId: ctx.actor.projectId });
  const reservation = reservationId(random);
  const orders = Array.from({ length: wanted.count }, (_, index) => ({
    id: ctx.ids.uuid(),
    index,
    reservationId: reservation,
  }));
  const made = await withinQuota(ctx, wanted, (count) =>
    createAll(ctx, { ...wanted, count }, orders.slice(0, count), random),
  );
  return { id: made[0]?.id ?? '', reservationId: reservation };
}

/** One server takes one batch of reads and one of writes; several are promised together first, so that all or none are. */
async function createAll(ctx: ProjectContext, wanted: NewServer, orders: Order[], random: Random): Promise<Order[]> {
  if (orders.length > 1) await racing((attempt) => reserveServers(ctx, wanted, orders, { attempt, random }));
  for (const order of orders) {
    await racing((attempt) => placeServer(ctx, wanted, order, { attempt, random })).catch((error: unknown) => {
      // Deleted before it was placed: there is nothing left to do for it.
      if (!(error instanceof AssertionFailed && error.assertion === RESERVED)) throw error;
    });
  }
  return orders;
}

/** Makes as many as a request wants at most, or, where quotas allow fewer but enough of them, those. */
async function withinQuota<T>(ctx: ProjectContext, wanted: NewServer, make: (count: number) => Promise<T>): Promise<T> {
  for (let count = wanted.count; ; ) {
    try {
      return await make(count);
    } catch (error) {
      if (!(error instanceof AssertionFailed)) throw error;
      if (error.assertion === GROUP_MEMBERS) throw forbidden('Quota exceeded, too many servers in group');
      if (error.assertion !== QUOTA) throw (await requestLimitRefusals(ctx)[error.assertion]?.()) ?? error;
      const { refusal, room } = await overrunOf(ctx, await sharesOf(ctx, wanted.flavorId), count);
      if (room < wanted.countMin || room >= count) throw refusal;
      count = room;
    }
  }
}

/** Tries again while the loss of a race, for room, an address or a place in a group, is all that stands in the way. */
async function racing(attempt: (attempt: number) => Promise<void>): Promise<void> {
  let lost: unknown;
  for (let at = 0; at < RACES_MAX; at++) {
    try {
      return await attempt(at);
    } catch (error) {
      const ofHost = error instanceof AssertionFailed && (error.assertion === CLAIM || error.assertion === GROUP);
      if (!ofHost && !lostRace(error)) throw error;
      lost = error;
    }
  }
  throw new ApiError(503, 'Too many servers are being created at once: try again.', {
    headers: { 'retry-after': '1' },
    cause: lost,
  });
}
