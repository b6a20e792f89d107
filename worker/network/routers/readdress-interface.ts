import { eq, inArray, type SQL, sql } from 'drizzle-orm';
import { subnets } from '../../../db/schema/network.ts';
import { routers } from '../../../db/schema/routers.ts';
import type { Statement } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { assertRevision } from '../api/races.ts';
import { aroundNetworks, rejoin } from '../edge/routers-on.ts';
import type { Address } from '../ipam/address-picks.ts';
import { checkSubnets } from './check-subnets.ts';
import { interfacesOf, selectRouters } from './router-rows.ts';

/** What other addresses of an interface mean for the router and the machines that have it; for after they are written. */
export interface Readdressed {
  statements: Statement[];
  /** A condition on `runners`. */
  touches: SQL;
}

const nothing: Readdressed = { statements: [], touches: sql`0` };

/**
 * Of a port that is no router's interface, nothing.
 * @throws ApiError 400 for a subnet that the router cannot have
 */
export async function readdressed(
  ctx: ActorContext,
  port: { id: string; deviceId: string; deviceOwner: string; addresses: Address[] },
  addresses: Address[],
): Promise<Readdressed> {
  if (port.deviceOwner !== 'network:router_interface' || addresses === port.addresses) return nothing;
  const [row] = await selectRouters(ctx).where(eq(routers.id, port.deviceId));
  if (!row) return nothing;
  const added = await ctx.db
    .select({ id: subnets.id, cidr: subnets.cidr })
    .from(subnets)
    .where(
      inArray(
        subnets.id,
        addresses.map((address) => address.subnetId),
      ),
    );
  checkSubnets(
    row.ports.filter((one) => one.id !== port.id),
    added,
    'interfaces',
  );
  const around = aroundNetworks(interfacesOf(row).map((one) => one.networkId));
  return {
    touches: around,
    statements: [
      assertRevision(ctx, 'routers', row),
      ctx.db
        .update(routers)
        .set({ revision: sql`revision + 1`, updatedAtMs: ctx.clock.nowMs() })
        .where(eq(routers.id, row.id)),
      ...rejoin(ctx, around),
    ],
  };
}
