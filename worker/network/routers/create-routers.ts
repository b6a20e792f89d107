import { inArray } from 'drizzle-orm';
import { routers } from '../../../db/schema/routers.ts';
import { requireAffordable } from '../../billing/admission/admit.ts';
import { whilePriced } from '../../billing/admission/while-priced.ts';
import type { Offer } from '../../billing/reports/quote.ts';
import { commit, type Statement } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { inOrder } from '../api/in-order.ts';
import { whileRacing } from '../api/races.ts';
import type { New } from '../api/resource-routes.ts';
import { cryptoRandom, type Random } from '../ipam/random.ts';
import { enforce } from '../policy.ts';
import { insertPorts } from '../ports/port-statements.ts';
import { assertQuota } from '../quotas/assert-quota.ts';
import { assertExternal } from './assert-external.ts';
import type { routerAttributes } from './attributes.ts';
import { authorizeGateway } from './authorize-gateway.ts';
import { authorizeKind } from './authorize-kind.ts';
import { checkZones } from './check-zones.ts';
import { gatewayPort, planGateway } from './plan-gateway.ts';
import { type RouterRow, selectRouters } from './router-rows.ts';

type Input = New<typeof routerAttributes>;

/**
 * Makes routers, all or none. They have no interfaces yet, and so no host has them.
 * @returns them in the order asked for
 * @throws ApiError 400 a gateway that cannot be, 403 what only an admin may say, 404 no such network or zone, 409 no address left
 */
export function createRouters(ctx: ActorContext, inputs: Input[], random: Random = cryptoRandom): Promise<RouterRow[]> {
  for (const input of inputs) authorize(ctx, input);
  const make = (offer: Offer | null, free: Statement[]) => async () => {
    await checkZones(ctx, [...new Set(inputs.flatMap((input) => input.availability_zone_hints))]);
    const now = ctx.clock.nowMs();
    const rows = inputs.map((input) => ({
      id: ctx.ids.uuid(),
      region: ctx.region,
      projectId: input.projectId,
      name: input.name,
      description: input.description,
      adminStateUp: input.admin_state_up,
      enableSnat: input.external_gateway_info?.enable_snat ?? true,
      availabilityZoneHints: input.availability_zone_hints,
      createdAtMs: now,
      updatedAtMs: now,
    }));
    const gateways = await Promise.all(
      inputs.flatMap(({ external_gateway_info: wanted }, at) =>
        wanted
          ? [planGateway(ctx, wanted, random).then((plan) => gatewayPort(ctx, rows[at]?.id ?? '', plan, random))]
          : [],
      ),
    );
    const ids = rows.map((row) => row.id);
    const results = await commit(ctx, {
      audit: { action: 'create_router', targetType: 'router', targetId: ids[0] ?? '', detail: { ids } },
      statements: [
        ...assertExternal(
          ctx,
          gateways.map(({ row }) => row.networkId),
        ),
        ...free,
        ...rows.flatMap((row) => requireAffordable(ctx, offer, row)),
        ctx.db.insert(routers).values(rows),
        ...insertPorts(ctx, gateways),
        ...assertQuota(
          ctx,
          'router',
          rows.map(({ projectId }) => projectId),
        ),
        selectRouters(ctx).where(inArray(routers.id, ids)),
      ],
    });
    return inOrder(results.at(-1) as RouterRow[], ids);
  };
  return whilePriced(ctx, { item: 'router', itemType: 'default' }, (offer, free) => whileRacing(make(offer, free)));
}

function authorize(ctx: ActorContext, input: Input): void {
  const target = { projectId: input.projectId };
  enforce(ctx, 'create_router', target);
  authorizeKind(ctx, 'create_router', target, input);
  authorizeGateway(ctx, 'create_router', target, input.external_gateway_info);
}
