import { sql } from 'drizzle-orm';
import { type FlavorSnapshot, servers } from '../../../db/schema/compute.ts';
import type { ActorContext } from '../../http/context.ts';
import { ApiError, badRequest } from '../../http/errors.ts';
import { authorize } from '../../http/policy.ts';
import { imageOf, imageReads } from '../../image/image-ref.ts';
import { Reads } from '../http/reads.ts';
import { policy } from '../policy.ts';
import { startAction } from '../servers/actions.ts';
import { hostOf, patchDesiredMembers } from '../servers/desired-server.ts';
import { ownServer, serverNotFound } from '../servers/find-server.ts';
import { holds } from '../servers/flavor-fits.ts';
import { beginTask } from '../servers/tasks.ts';
import { commitTransition } from '../servers/transition.ts';

const RESCUE = 'os_compute_api:os-rescue';

/** What a server without a rescue image of its own is rescued by: what it was made from. */
const OWN_IMAGE = sql.raw(`json_object('image', json(spec -> '$.image'), 'kernel', json(spec -> '$.kernel'),
  'ramdisk', json(spec -> '$.ramdisk'), 'kernel_command_line', spec ->> '$.kernel_command_line')`);

/**
 * Starts a server from another disk, its own beside that. It is no larger than the server's own may be.
 * @param imageId - the image of that disk; null for the server's own
 * @throws ApiError 400 an image that cannot be booted, or is too large; 404, 409 in another state, or busy
 */
export async function rescueServer(ctx: ActorContext, id: string, imageId: string | null): Promise<void> {
  authorize(ctx, policy, RESCUE);
  const rescue = imageId === null ? OWN_IMAGE : sql`json(${JSON.stringify(await rescueImage(ctx, id, imageId))})`;
  await commitTransition(ctx, {
    id,
    verb: 'rescue',
    costs: true,
    policyAction: RESCUE,
    allowed: { vmStates: ['active', 'stopped', 'error'], launched: true },
    statements: [
      beginTask(ctx, id, 'rescuing'),
      patchDesiredMembers(ctx.db, id, { '$.rescue': rescue, '$.power': sql`'on'` }),
      ...startAction(ctx, { serverId: id, action: 'rescue' }),
    ],
    touches: hostOf(id),
    detail: { imageId },
  });
}

/** Starts a rescued server from its own disk again. @throws ApiError 404, 409 not rescued, or busy */
export async function unrescueServer(ctx: ActorContext, id: string): Promise<void> {
  await commitTransition(ctx, {
    id,
    verb: 'unrescue',
    policyAction: 'os_compute_api:os-unrescue',
    allowed: { vmStates: ['rescued'], launched: true },
    statements: [
      beginTask(ctx, id, 'unrescuing'),
      patchDesiredMembers(ctx.db, id, { '$.rescue': sql`json('null')`, '$.power': sql`'on'` }),
      ...startAction(ctx, { serverId: id, action: 'unrescue' }),
    ],
    touches: hostOf(id),
  });
}

async function rescueImage(ctx: ActorContext, id: string, imageId: string) {
  const unsupported = () => badRequest(`Requested rescue image '${imageId}' is not supported`);
  const reads = new Reads();
  const ofServer = reads.add(
    ctx.db
      .select({ flavor: servers.flavor })
      .from(servers)
      .where(ownServer(ctx, id, 'servers')),
  );
  const ofImage = reads.add(...imageReads(ctx, imageId));
  await reads.run(ctx.db);
  const [server] = ofServer()[0] as { flavor: FlavorSnapshot }[];
  if (!server) throw serverNotFound(id);
  try {
    const found = imageOf(ctx, imageId, ofImage());
    if (!holds(server.flavor, found)) throw unsupported();
    const { image, kernel, ramdisk, kernelCommandLine } = found;
    return { image, kernel, ramdisk, kernel_command_line: kernelCommandLine };
  } catch (error) {
    throw error instanceof ApiError && error.status === 400 ? unsupported() : error;
  }
}
