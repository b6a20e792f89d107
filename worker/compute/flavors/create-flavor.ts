import { flavors } from '../../../db/schema/compute.ts';
import { ConstraintFailed, commit } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { conflict } from '../../http/errors.ts';
import { authorize } from '../../http/policy.ts';
import { policy } from '../policy.ts';
import type { FlavorInput } from './schemas.ts';
import type { FlavorRow } from './views.ts';

const ACTION = 'os_compute_api:os-flavor-manage:create';

/**
 * Makes a flavor; without an id, or with `auto`, under a new one.
 * @throws ApiError 409 the id or the name is taken
 */
export async function createFlavor(ctx: ActorContext, input: FlavorInput): Promise<FlavorRow> {
  authorize(ctx, policy, ACTION);
  const row: FlavorRow = {
    id: input.id && input.id !== 'auto' ? input.id : ctx.ids.uuid(),
    region: ctx.region,
    name: input.name,
    description: input.description ?? null,
    vcpus: input.vcpus,
    ramMib: input.ram,
    diskGib: input.disk,
    ephemeralGib: input['OS-FLV-EXT-DATA:ephemeral'],
    swapMib: input.swap,
    rxtxFactor: input.rxtx_factor,
    isPublic: input['os-flavor-access:is_public'],
    extraSpecs: {},
    createdAtMs: ctx.clock.nowMs(),
  };
  try {
    await commit(ctx, {
      audit: { action: ACTION, targetType: 'flavor', targetId: row.id, detail: { name: row.name } },
      statements: [ctx.db.insert(flavors).values(row)],
    });
  } catch (error) {
    if (!(error instanceof ConstraintFailed)) throw error;
    throw error.constraint.includes('flavors.name')
      ? conflict(`Flavor with name ${row.name} already exists.`)
      : conflict(`Flavor with ID ${row.id} already exists.`);
  }
  return row;
}
