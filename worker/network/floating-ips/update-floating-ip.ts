import { eq, sql } from 'drizzle-orm';
import { floatingIps } from '../../../db/schema/routers.ts';
import { commit } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { assertRevision, assertUnchanged, checkRevision, whileRacing } from '../api/races.ts';
import type { Update } from '../api/resource-routes.ts';
import { knowingForwards, placeAddresses } from '../edge/floating-ips-on.ts';
import { enforce } from '../policy.ts';
import { listOf } from '../ports/port-statements.ts';
import { refuseTaking, usePolicies } from '../qos/choose-policy.ts';
import type { floatingIpAttributes } from './attributes.ts';
import { badFloatingIp, inUseByForwards } from './faults.ts';
import { type FloatingIpRow, selectFloatingIps, showFloatingIp } from './floating-ip-rows.ts';
import { type Association, NO_ASSOCIATION, planAssociation } from './plan-association.ts';

type Input = Update<typeof floatingIpAttributes>;

/**
 * Changes a floating IP: leads it to a port, to another one, or to none, in one step for all machines.
 * @throws ApiError 403, 404 not seen, 409 its ports are forwarded, 412 another revision, and as `planAssociation`
 */
export function updateFloatingIp(ctx: ActorContext, input: Input): Promise<FloatingIpRow> {
  return whileRacing(async () => {
    const row = await showFloatingIp(ctx, input.id);
    const { changes } = input;
    enforce(ctx, 'update_floatingip', { projectId: row.projectId });
    checkRevision(input.expectedRevision, row);
    await refuseTaking(ctx, row.qosPolicyId, changes.qos_policy_id);
    const association = await planned(ctx, row, changes);
    const { statements, ...whose } = association ?? { ...NO_ASSOCIATION, ...kept(row) };
    const id = sql`${row.id}`;
    const portIds = listOf([row.portId, whose.portId].flatMap((one) => one ?? []));
    const results = await commit(ctx, {
      audit: { action: 'update_floatingip', targetType: 'floatingip', targetId: row.id, detail: { ...changes } },
      touches: sql`(${knowingForwards(id)} OR runners.id IN (SELECT p.runner_id FROM ports p WHERE p.id IN (${portIds}))
        OR EXISTS (SELECT 1 FROM desired d WHERE d.runner_id = runners.id AND d.kind = 'floating-ip' AND d.id = ${row.id} AND d.deleted = 0))`,
      statements: [
        assertRevision(ctx, 'floating_ips', row),
        ...statements,
        ...(whose.portId === null || whose.portId === row.portId
          ? []
          : [assertUnchanged(ctx, sql`NOT EXISTS (SELECT 1 FROM port_forwardings WHERE floating_ip_id = ${row.id})`)]),
        ...(await usePolicies(ctx, [changes.qos_policy_id])),
        ctx.db
          .update(floatingIps)
          .set({
            ...whose,
            ...(whose.portId === row.portId && whose.fixedIpAddress === row.fixedIpAddress ? {} : { status: 'DOWN' }),
            description: changes.description ?? row.description,
            qosPolicyId: changes.qos_policy_id === undefined ? row.qosPolicyId : changes.qos_policy_id,
            revision: sql`revision + 1`,
            updatedAtMs: ctx.clock.nowMs(),
          })
          .where(eq(floatingIps.id, row.id)),
        ...placeAddresses(ctx.db, id),
        selectFloatingIps(ctx).where(eq(floatingIps.id, row.id)),
      ],
    });
    const [updated] = results.at(-1) as FloatingIpRow[];
    return updated ?? row;
  });
}

const kept = ({ portId, fixedIpAddress, routerId }: FloatingIpRow) => ({ portId, fixedIpAddress, routerId });

/** Whose it is from now on; undefined where nothing is said about that. */
async function planned(
  ctx: ActorContext,
  row: FloatingIpRow,
  changes: Input['changes'],
): Promise<Association | undefined> {
  const { port_id: portId, fixed_ip_address: fixedIp } = changes;
  // As when a floating IP had nothing else to be changed: to say nothing is to take it from its port.
  const blank = Object.keys(changes).length === 0;
  if (blank || (portId === null && !fixedIp)) {
    // Forwarded ports keep the router.
    return row.forwards.length > 0 ? undefined : NO_ASSOCIATION;
  }
  const target = portId ?? (portId === undefined ? row.portId : null);
  if (fixedIp && !target) throw badFloatingIp('fixed_ip_address cannot be specified without a port_id');
  if (!target || (portId === undefined && fixedIp === undefined)) return undefined;
  if (row.forwards.length > 0) throw inUseByForwards(row.id);
  return planAssociation(ctx, row, { portId: target, fixedIp });
}
