import { sql } from 'drizzle-orm';
import type { ActorContext } from '../../http/context.ts';
import { startAction } from '../servers/actions.ts';
import { hostOf, patchDesiredServer } from '../servers/desired-server.ts';
import { offloadServer } from '../servers/offload-server.ts';
import { commitTransition } from '../servers/transition.ts';
import { takeSnapshot } from './create-image.ts';

/**
 * Turns a server off, keeps its disk as an image, and gives its host up. The image's name is the server's with `-shelved`.
 * @throws ApiError 404, 409 in another state, or busy
 */
export async function shelveServer(ctx: ActorContext, id: string): Promise<void> {
  await takeSnapshot(ctx, id, {
    verb: 'shelve',
    policyAction: 'os_compute_api:os-shelve:shelve',
    action: 'shelve',
    task: 'shelving',
    name: (server) => `${server}-shelved`,
    properties: {},
    evenLocked: false,
    // Its copy is made after: what a host is to hold comes before what it is to do.
    statements: [patchDesiredServer(ctx.db, id, { path: '$.power', value: sql`'off'` })],
  });
}

/** Has the host of a shelved server let go of it, where it has not yet. @throws ApiError 404, 409 not shelved, or offloaded */
export async function offloadShelved(ctx: ActorContext, id: string): Promise<void> {
  const off = offloadServer(ctx, sql`(SELECT id FROM servers WHERE id = ${id})`);
  await commitTransition(ctx, {
    id,
    verb: 'shelveOffload',
    policyAction: 'os_compute_api:os-shelve:shelve_offload',
    allowed: { vmStates: ['shelved'], launched: true },
    statements: [...off.statements, ...startAction(ctx, { serverId: id, action: 'shelveOffload' })],
    touches: sql`${hostOf(id)} OR ${off.touches}`,
  });
}
