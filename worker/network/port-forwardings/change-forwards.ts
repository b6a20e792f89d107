import { eq, sql } from 'drizzle-orm';
import { floatingIps, portForwardings } from '../../../db/schema/routers.ts';
import { dropDesired } from '../../fleet/desired.ts';
import { commit, type Statement } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import type { Created, Updated } from '../api/attributes.ts';
import { assertRevision, whileRacing } from '../api/races.ts';
import { knowingForwards, placeForwards } from '../edge/floating-ips-on.ts';
import type { FloatingIpRow } from '../floating-ips/floating-ip-rows.ts';
import { enforce } from '../policy.ts';
import { listOf } from '../ports/port-statements.ts';
import type { forwardAttributes } from './attributes.ts';
import { checkForward } from './check-forward.ts';
import { parentOf, type StoredForward, showForward } from './forward-rows.ts';
import { planForward } from './plan-forward.ts';

interface Written {
  action: string;
  id: string;
  /** Guests' ports that it leads to, before and after. */
  portIds: string[];
  /** The router by which the floating IP leads from now on. */
  routerId: string | null;
  statements: Statement[];
}

/** Writes a change of a floating IP's forwarded ports, one at a time: no two can take the same port, or different routers. */
async function write(ctx: ActorContext, fip: FloatingIpRow, change: Written): Promise<void> {
  const id = sql`${fip.id}`;
  await commit(ctx, {
    audit: {
      action: change.action,
      targetType: 'port_forwarding',
      targetId: change.id,
      detail: { floatingIpId: fip.id, portIds: change.portIds },
    },
    touches: sql`(${knowingForwards(id)} OR runners.id IN (SELECT p.runner_id FROM ports p WHERE p.id IN (${listOf(change.portIds)})))`,
    statements: [
      assertRevision(ctx, 'floating_ips', fip),
      ...change.statements,
      ctx.db
        .update(floatingIps)
        .set({ routerId: change.routerId, revision: sql`revision + 1`, updatedAtMs: ctx.clock.nowMs() })
        .where(eq(floatingIps.id, fip.id)),
      ...placeForwards(ctx.db, id),
    ],
  });
}

/** Forwards ports of a floating IP to a guest. @throws ApiError 403, 404 not seen, and as `checkForward` */
export function createForward(
  ctx: ActorContext,
  floatingIpId: string,
  input: Created<typeof forwardAttributes>,
): Promise<StoredForward> {
  return whileRacing(async () => {
    const fip = await parentOf(ctx, floatingIpId);
    enforce(ctx, 'create_floatingip_port_forwarding', { projectId: fip.projectId });
    const id = ctx.ids.uuid();
    const plan = planForward(null, input);
    const { statements, internalIpAddress, routerId } = await checkForward(ctx, fip, {
      id,
      plan,
      fixedIp: input.internal_ip_address,
    });
    const now = ctx.clock.nowMs();
    const row = {
      ...plan,
      protocol: input.protocol,
      id,
      internalIpAddress,
      region: ctx.region,
      floatingIpId: fip.id,
      createdAtMs: now,
      updatedAtMs: now,
    };
    await write(ctx, fip, {
      action: 'create_floatingip_port_forwarding',
      id,
      portIds: [plan.portId],
      routerId,
      statements: [...statements, ctx.db.insert(portForwardings).values(row)],
    });
    return row;
  });
}

/** Changes which ports are forwarded, or where to. @throws ApiError 403, 404 not seen, and as `checkForward` */
export function updateForward(
  ctx: ActorContext,
  { floatingIpId, id, changes }: { floatingIpId: string; id: string; changes: Updated<typeof forwardAttributes> },
): Promise<StoredForward> {
  return whileRacing(async () => {
    const { fip, row } = await showForward(ctx, floatingIpId, id);
    enforce(ctx, 'update_floatingip_port_forwarding', { projectId: fip.projectId });
    const plan = planForward(row, changes);
    const samePort = plan.portId === row.portId;
    const { statements, internalIpAddress, routerId } = await checkForward(ctx, fip, {
      id,
      plan,
      fixedIp: changes.internal_ip_address ?? (samePort ? row.internalIpAddress : undefined),
    });
    const updated = {
      ...plan,
      protocol: changes.protocol ?? row.protocol,
      internalIpAddress,
      updatedAtMs: ctx.clock.nowMs(),
    };
    await write(ctx, fip, {
      action: 'update_floatingip_port_forwarding',
      id,
      portIds: [row.portId, plan.portId],
      routerId,
      statements: [...statements, ctx.db.update(portForwardings).set(updated).where(eq(portForwardings.id, id))],
    });
    return { ...row, ...updated };
  });
}

/** Stops forwarding. @throws ApiError 403, 404 not seen */
export function deleteForward(ctx: ActorContext, floatingIpId: string, id: string): Promise<void> {
  return whileRacing(async () => {
    const { fip, row } = await showForward(ctx, floatingIpId, id);
    enforce(ctx, 'delete_floatingip_port_forwarding', { projectId: fip.projectId });
    await write(ctx, fip, {
      action: 'delete_floatingip_port_forwarding',
      id,
      portIds: [row.portId],
      routerId: fip.forwards.length > 1 ? fip.routerId : null,
      statements: [
        dropDesired(ctx.db, 'port-forwarding', sql`desired.id = ${id}`),
        ctx.db.delete(portForwardings).where(eq(portForwardings.id, id)),
      ],
    });
  });
}
