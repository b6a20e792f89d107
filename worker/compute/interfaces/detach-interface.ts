import { sql } from 'drizzle-orm';
import { assertThat } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { detachServerPort, servedPort } from '../../network/server-ports.ts';
import { finishedAction } from '../servers/actions.ts';
import { hostOf, patchDesiredMembers } from '../servers/desired-server.ts';
import { commitTransition } from '../servers/transition.ts';
import { DEVICE_TAGS, PLUGGABLE } from './attach-interface.ts';
import { portNotFound } from './find-interfaces.ts';

/** Unplugs a port of a server. One that was made for it is deleted. @throws ApiError 404, 409 in another state */
export async function detachInterface(ctx: ActorContext, serverId: string, portId: string): Promise<void> {
  const plugged = sql`EXISTS (SELECT 1 FROM ports WHERE id = ${portId} AND device_id = ${serverId} AND ${sql.raw(servedPort())})`;
  const port = detachServerPort(ctx, portId);
  await commitTransition(ctx, {
    id: serverId,
    verb: 'detach_interface',
    policyAction: 'os_compute_api:os-attach-interfaces:delete',
    allowed: PLUGGABLE,
    statements: [
      assertThat(ctx.db, 'plugged', plugged),
      patchDesiredMembers(ctx.db, serverId, {
        '$.ports': sql`(SELECT json_group_array(p.value) FROM json_each(desired.spec, '$.ports') p WHERE p.value <> ${portId})`,
        '$.metadata.device_tags': sql`json_remove(${DEVICE_TAGS}, ${`$."${portId}"`})`,
      }),
      ...port.statements,
      ...finishedAction(ctx, { serverId, action: 'detach_interface', event: 'compute_detach_interface' }),
    ],
    touches: sql`${hostOf(serverId)} OR ${port.touches}`,
    detail: { portId },
    refusals: { plugged: () => portNotFound(portId) },
  });
}
