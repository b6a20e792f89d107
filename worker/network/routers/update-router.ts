import { eq, sql } from 'drizzle-orm';
import { ipAllocations, ports } from '../../../db/schema/network.ts';
import { routers } from '../../../db/schema/routers.ts';
import { AssertionFailed, assertThat, commit, type Statement } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { assertRevision, checkRevision, whileRacing } from '../api/races.ts';
import type { Update } from '../api/resource-routes.ts';
import { aroundNetworks, rejoin } from '../edge/routers-on.ts';
import { cryptoRandom, type Random } from '../ipam/random.ts';
import { enforce } from '../policy.ts';
import { insertPorts } from '../ports/port-statements.ts';
import { assertExternal } from './assert-external.ts';
import type { routerAttributes, WantedGateway } from './attributes.ts';
import { authorizeGateway } from './authorize-gateway.ts';
import { authorizeKind } from './authorize-kind.ts';
import { checkRoutes } from './check-routes.ts';
import { checkSubnets } from './check-subnets.ts';
import { gatewayInUseByFloatingIp } from './faults.ts';
import { gatewayPort, planGateway } from './plan-gateway.ts';
import { gatewayOf, interfacesOf, type RouterPort, type RouterRow, selectRouters, showRouter } from './router-rows.ts';

const NO_FLOATING_IPS = 'no-floating-ips';

type Input = Update<typeof routerAttributes>;

/** What an update makes of a router's gateway. */
interface GatewayChange {
  statements: Statement[];
  /** What the router has for ports afterwards. */
  ports: RouterPort[];
}

/**
 * Changes a router, its gateway and routes, and what the hosts of its networks hold.
 * @throws ApiError 400 a gateway or route that cannot be, 403 not allowed, 404 not seen, 409 floating IPs need the gateway, or no
 *   address left, 412 another revision
 */
export function updateRouter(ctx: ActorContext, input: Input, random: Random = cryptoRandom): Promise<RouterRow> {
  const plan = (row: RouterRow) => {
    authorize(ctx, row, input.changes);
    checkRevision(input.expectedRevision, row);
    return input.changes;
  };
  return changeRouter(ctx, { id: input.id, plan }, random);
}

/** Changes a router as its row says when the change is planned; planning authorizes it. @throws ApiError as `updateRouter` */
export function changeRouter(
  ctx: ActorContext,
  { id, plan }: { id: string; plan: (row: RouterRow) => Input['changes'] },
  random: Random = cryptoRandom,
): Promise<RouterRow> {
  return whileRacing(async () => {
    const row = await showRouter(ctx, id);
    const changes = plan(row);
    const wanted = changes.external_gateway_info;
    const gateway = await gatewayChange(ctx, row, wanted, random);
    const routes = changes.routes ?? row.routes;
    if (changes.routes !== undefined) checkRoutes(row.id, { ports: gateway.ports, routes, before: row.routes });
    const around = aroundNetworks(interfacesOf(row).map((port) => port.networkId));
    const results = await commit(ctx, {
      audit: { action: 'update_router', targetType: 'router', targetId: row.id, detail: { ...changes } },
      touches: around,
      statements: [
        assertRevision(ctx, 'routers', row),
        ...gateway.statements,
        ctx.db
          .update(routers)
          .set({
            name: changes.name ?? row.name,
            description: changes.description ?? row.description,
            adminStateUp: changes.admin_state_up ?? row.adminStateUp,
            enableSnat: wanted === undefined ? row.enableSnat : (wanted?.enable_snat ?? true),
            routes,
            revision: sql`revision + 1`,
            updatedAtMs: ctx.clock.nowMs(),
          })
          .where(eq(routers.id, row.id)),
        ...rejoin(ctx, around),
        selectRouters(ctx).where(eq(routers.id, row.id)),
      ],
    }).catch((error: unknown) => {
      const needed = error instanceof AssertionFailed && error.assertion === NO_FLOATING_IPS;
      throw needed ? gatewayInUseByFloatingIp(row.id, gatewayOf(row)?.networkId ?? '') : error;
    });
    const [updated] = results.at(-1) as RouterRow[];
    return updated ?? row;
  });
}

function authorize(ctx: ActorContext, row: RouterRow, changes: Input['changes']): void {
  const target = { projectId: row.projectId };
  enforce(ctx, 'update_router', target);
  authorizeKind(ctx, 'update_router', target, changes);
  authorizeGateway(ctx, 'update_router', target, changes.external_gateway_info);
}

async function gatewayChange(
  ctx: ActorContext,
  row: RouterRow,
  wanted: WantedGateway | null | undefined,
  random: Random,
): Promise<GatewayChange> {
  const before = gatewayOf(row);
  const inside = interfacesOf(row);
  const sameNetwork = before?.networkId === wanted?.network_id;
  if (wanted === undefined || (sameNetwork && !wanted?.external_fixed_ips?.length)) {
    return { statements: [], ports: row.ports };
  }
  if (before && sameNetwork && wanted) {
    const plan = await planGateway(ctx, wanted, random, before.addresses);
    return {
      ports: [...inside, afterwards(before.id, plan)],
      statements: [
        ctx.db.delete(ipAllocations).where(eq(ipAllocations.portId, before.id)),
        ctx.db.insert(ipAllocations).values(
          plan.addresses.map(({ subnetId, hostOffset, ipAddress }, position) => ({
            subnetId,
            hostOffset,
            ipAddress,
            portId: before.id,
            position,
          })),
        ),
        ctx.db
          .update(ports)
          .set({ revision: sql`revision + 1`, updatedAtMs: ctx.clock.nowMs() })
          .where(eq(ports.id, before.id)),
      ],
    };
  }
  const gone = before
    ? [
        assertThat(ctx.db, NO_FLOATING_IPS, sql`NOT EXISTS (SELECT 1 FROM floating_ips WHERE router_id = ${row.id})`),
        ctx.db.delete(ports).where(eq(ports.id, before.id)),
      ]
    : [];
  if (!wanted) return { statements: gone, ports: inside };
  const plan = await planGateway(ctx, wanted, random);
  checkSubnets(
    row.ports.filter((port) => port !== before),
    plan.subnets,
    'interfaces',
  );
  const port = gatewayPort(ctx, row.id, plan, random);
  return {
    ports: [...inside, afterwards(port.row.id, plan)],
    statements: [...assertExternal(ctx, [plan.networkId]), ...gone, ...insertPorts(ctx, [port])],
  };
}

const afterwards = (id: string, plan: Awaited<ReturnType<typeof planGateway>>): RouterPort => ({
  id,
  networkId: plan.networkId,
  gateway: true,
  addresses: plan.addresses.map((address) => ({
    ...address,
    cidr: plan.subnets.find((subnet) => subnet.id === address.subnetId)?.cidr ?? '',
  })),
});
