import { sql } from 'drizzle-orm';
import { serverMigrations } from '../../../db/schema/server-migrations.ts';
import { assertThat } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { badRequest, notFound, serviceUnavailable } from '../../http/errors.ts';
import { authorize } from '../../http/policy.ts';
import type { Microversion } from '../http/microversion.ts';
import { type ComputeAction, policy } from '../policy.ts';
import { finishedAction } from '../servers/actions.ts';
import { ownServer, serverNotFound } from '../servers/find-server.ts';
import type { VmState } from '../servers/statuses.ts';
import { type Allowed, commitTransition } from '../servers/transition.ts';
import { callOff } from './moves.ts';

type Row = typeof serverMigrations.$inferSelect;
const FORCE_TIMEOUT_MS = 10_000;
const RETRY_AFTER_S = 5;
const MIGRATING: Allowed = { vmStates: ['active', 'paused'] as VmState[], taskStates: ['migrating'], launched: true };

/** A server's migration, in a status in which it may be changed so. @throws ApiError 400 in another; 404 */
async function find(
  ctx: ActorContext,
  id: string,
  number: string,
  of: { verb: string; statuses: string[] },
): Promise<Row> {
  const [servers, [row]] = await ctx.db.batch([
    ctx.db.all<{ id: string }>(sql`SELECT s.id FROM servers s WHERE ${ownServer(ctx, id)}`),
    ctx.db
      .select()
      .from(serverMigrations)
      .where(sql`server_id = ${id} AND region = ${ctx.region} AND CAST(number AS TEXT) = ${number}`),
  ]);
  if (servers.length === 0) throw serverNotFound(id);
  if (!row) throw notFound(`Migration ${number} could not be found.`);
  if (!of.statuses.includes(row.status) || row.type !== 'live-migration') {
    throw badRequest(
      `Migration ${number} state of instance ${id} is ${row.status}. Cannot ${of.verb} while the migration is in this state.`,
    );
  }
  return row;
}

/** Gives up a live migration that goes on: the server stays where it is. @throws ApiError 400, 404, 409 */
export async function abortMigration(
  ctx: ActorContext,
  id: string,
  number: string,
  version: Microversion,
): Promise<void> {
  const policyAction: ComputeAction = 'os_compute_api:servers:migrations:delete';
  authorize(ctx, policy, policyAction);
  const statuses = version >= 65 ? ['queued', 'preparing', 'running'] : ['running'];
  const row = await find(ctx, id, number, { verb: 'abort live migration', statuses });
  const which = sql`m.uuid = ${row.uuid}`;
  const off = callOff(ctx, which, { status: 'cancelled', why: 'The live migration was aborted.' });
  const open = sql`EXISTS (SELECT 1 FROM server_migrations m WHERE ${which} AND m.phase IN ('preparing', 'moving'))`;
  await commitTransition(ctx, {
    id,
    verb: 'abort live migration',
    policyAction,
    allowed: MIGRATING,
    statements: [
      assertThat(ctx.db, 'open', open),
      ...finishedAction(ctx, { serverId: id, action: 'live_migration_cancel' }),
      ...off.statements,
    ],
    touches: off.touches,
    refusals: {
      open: () => badRequest(`Migration ${number} of instance ${id} is over: it cannot be aborted any more.`),
    },
  });
}

/** Has the guest stand still until its live migration is done, so that it ends. @throws ApiError 400, 404, 409, 503 */
export async function forceComplete(ctx: ActorContext, id: string, number: string): Promise<void> {
  const policyAction: ComputeAction = 'os_compute_api:servers:migrations:force_complete';
  authorize(ctx, policy, policyAction);
  const row = await find(ctx, id, number, { verb: 'force_complete', statuses: ['running'] });
  const answer = await ctx.fleet.query(
    row.sourceRunnerId,
    { kind: 'force-move', targetId: id, args: {} },
    FORCE_TIMEOUT_MS,
  );
  if (!answer.ok && answer.fault.code !== 404) {
    throw serviceUnavailable(`The host of instance ${id} does not answer: ${answer.fault.message}`, RETRY_AFTER_S);
  }
  await commitTransition(ctx, {
    id,
    verb: 'force_complete',
    policyAction,
    statements: finishedAction(ctx, { serverId: id, action: 'live_migration_force_complete' }),
  });
}
