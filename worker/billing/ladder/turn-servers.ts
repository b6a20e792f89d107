import { type SQL, sql } from 'drizzle-orm';
import { turnServer } from '../../compute/actions/power.ts';
import type { Context } from '../../http/context.ts';
import { asSystem } from '../../http/system-actor.ts';
import { eachApart } from './each-apart.ts';

/** Servers that one round stops, or starts; more wait for the next. */
const TURNED_MAX = 50;

interface Turned {
  id: string;
  projectId: string;
}

/** Whether the account that pays for `server` is suspended. */
const SUSPENDED = sql`EXISTS (SELECT 1 FROM billing_account_projects link JOIN billing_accounts account ON account.id = link.account_id
  WHERE link.region = server.region AND link.project_id = server.project_id AND account.suspended_at_ms IS NOT NULL)`;

/** Stops what runs of accounts that are suspended, and remembers it: once each, so that what an operator starts again stays on. */
export async function stopServers(ctx: Context): Promise<void> {
  const running = sql`server.vm_state = 'active' AND server.task_state IS NULL AND server.runner_id IS NOT NULL AND ${SUSPENDED}
    AND NOT EXISTS (SELECT 1 FROM billing_stopped_servers stopped WHERE stopped.server_id = server.id)`;
  await eachApart(await serversThat(ctx, running), ({ id, projectId }) =>
    turnServer(asSystem(ctx, projectId), id, 'stop', [
      ctx.db.run(sql`INSERT INTO billing_stopped_servers (server_id, region) VALUES (${id}, ${ctx.region})`),
    ]),
  );
}

/** Starts what was stopped, once nothing is suspended any more, and forgets what has gone another way. */
export async function startServers(ctx: Context): Promise<void> {
  const remembered = sql`EXISTS (SELECT 1 FROM billing_stopped_servers stopped WHERE stopped.server_id = server.id)`;
  await ctx.db.run(sql`
    DELETE FROM billing_stopped_servers WHERE region = ${ctx.region} AND NOT EXISTS (
      SELECT 1 FROM servers server WHERE server.id = server_id AND server.deleted_at_ms IS NULL
        AND (${SUSPENDED} OR server.task_state IS NOT NULL OR server.vm_state = 'stopped'))`);
  const stopped = sql`server.vm_state = 'stopped' AND server.task_state IS NULL AND ${remembered} AND NOT ${SUSPENDED}`;
  await eachApart(await serversThat(ctx, stopped), ({ id, projectId }) =>
    turnServer(asSystem(ctx, projectId), id, 'start', [
      ctx.db.run(sql`DELETE FROM billing_stopped_servers WHERE server_id = ${id}`),
    ]),
  );
}

/** In no order: some that cannot be turned must not keep the others from it for ever. */
const serversThat = (ctx: Context, condition: SQL): Promise<Turned[]> =>
  ctx.db.all<Turned>(sql`SELECT server.id, server.project_id AS "projectId" FROM servers server
    WHERE server.region = ${ctx.region} AND server.deleted_at_ms IS NULL AND ${condition} ORDER BY random() LIMIT ${TURNED_MAX}`);
