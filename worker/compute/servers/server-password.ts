import { eq, sql } from 'drizzle-orm';
import { servers } from '../../../db/schema/compute.ts';
import type { Observation } from '../../../shared/protocol/messages.ts';
import { commit, type Statement } from '../../http/commit.ts';
import type { ActorContext, Context } from '../../http/context.ts';
import { authorize } from '../../http/policy.ts';
import { policy } from '../policy.ts';
import { askHost } from './ask-host.ts';
import { hostOf } from './desired-server.ts';
import { findServer, ownServer, serverNotFound } from './find-server.ts';

/** The host may be busy with the server, or away. */
const DEADLINE_MS = 24 * 3_600_000;

/** The password that a server's guest set for itself and told, sealed for the key that it was made with; or nothing.
 * @throws ApiError 404 */
export async function showServerPassword(ctx: ActorContext, id: string): Promise<string> {
  authorize(ctx, policy, 'os_compute_api:os-server-password:show');
  const [row] = await ctx.db
    .select({ password: servers.guestPassword })
    .from(servers)
    .where(ownServer(ctx, id, 'servers'));
  if (!row) throw serverNotFound(id);
  return row.password ?? '';
}

/** Forgets it, so that the guest may tell another. @throws ApiError 404 */
export async function clearServerPassword(ctx: ActorContext, id: string): Promise<void> {
  const action = 'os_compute_api:os-server-password:clear';
  authorize(ctx, policy, action);
  await findServer(ctx, id);
  await commit(ctx, {
    audit: { action, targetType: 'server', targetId: id, detail: {} },
    touches: hostOf(id),
    statements: [
      askHost(ctx, id, { kind: 'clear-password', args: {}, deadlineMs: ctx.clock.nowMs() + DEADLINE_MS }),
      ctx.db.update(servers).set({ guestPassword: null }).where(eq(servers.id, id)),
    ],
  });
}

/** Writes down what a guest told, once: a host tells it with every report, also after it was cleared here. */
export function passwordObserved(ctx: Context, runnerId: string, { id, detail }: Observation): Statement[] {
  const told = detail?.password as { id?: unknown; text?: unknown } | undefined;
  if (typeof told?.id !== 'string' || typeof told.text !== 'string') return [];
  return [
    ctx.db.run(sql`UPDATE servers SET guest_password = ${told.text}, guest_password_id = ${told.id}
      WHERE id = ${id} AND runner_id = ${runnerId} AND guest_password_id IS NOT ${told.id}`),
  ];
}
