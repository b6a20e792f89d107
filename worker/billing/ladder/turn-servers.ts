import { type SQL, sql } from 'drizzle-orm';
import { turnServer } from '../../compute/actions/power.ts';
import { unrescueServer } from '../../compute/actions/rescue-server.ts';
import { confirmResize } from '../../compute/migrations/settle-resize.ts';
import { runBatch } from '../../http/commit.ts';
import type { Context } from '../../http/context.ts';
import { asSystem } from '../../http/system-actor.ts';
import { eachApart } from './each-apart.ts';

/** Servers that one round stops, or starts; more wait for the next. */
const TURNED_MAX = 50;

interface Turned {
  id: string;
  projectId: string;
}

/** Whether the account that pays for `server` is suspended. From these accounts on: in nearly all rounds there are none. */
const suspended = ({ region }: Context): SQL => sql`server.project_id IN (
  SELECT link.project_id FROM billing_accounts account JOIN billing_account_projects link ON link.account_id = account.id AND link.region = account.region
  WHERE account.region = ${region} AND account.suspended_at_ms IS NOT NULL)`;

/** What runs, but cannot be stopped as it is: by its state, what makes it one that can. The next round stops it. */
const SETTLED = { rescued: unrescueServer, resized: confirmResize } as const;

/** Has servers of suspended accounts that are being rescued, or wait for their resize to be confirmed, go on as themselves. */
export async function settleServers(ctx: Context): Promise<void> {
  const states = Object.keys(SETTLED) as (keyof typeof SETTLED)[];
  for (const state of states) {
    const waiting = sql`server.vm_state = ${state} AND server.task_state IS NULL AND server.runner_id IS NOT NULL AND ${suspended(ctx)}
      AND NOT EXISTS (SELECT 1 FROM billing_stopped_servers stopped WHERE stopped.server_id = server.id)`;
    await eachApart(await serversThat(ctx, waiting), ({ id, projectId }) =>
      SETTLED[state](asSystem(ctx, projectId), id),
    );
  }
}

/** Stops what runs of accounts that are suspended, and remembers it: once each, so that what an operator starts again stays on. */
export async function stopServers(ctx: Context): Promise<void> {
  const running = sql`server.vm_state = 'active' AND server.task_state IS NULL AND server.runner_id IS NOT NULL AND ${suspended(ctx)}
    AND NOT EXISTS (SELECT 1 FROM billing_stopped_servers stopped WHERE stopped.server_id = server.id)`;
  await eachApart(await serversThat(ctx, running), ({ id, projectId }) =>
    turnServer(asSystem(ctx, projectId), id, 'stop', [
      ctx.db.run(sql`INSERT INTO billing_stopped_servers (server_id, region) VALUES (${id}, ${ctx.region})`),
    ]),
  );
}

/** Starts what was stopped, once nothing is suspended any more, and forgets what has gone another way. */
export async function startServers(ctx: Context): Promise<void> {
  const remembered = sql`server.id IN (SELECT server_id FROM billing_stopped_servers WHERE region = ${ctx.region} AND started = 0)`;
  await runBatch(ctx.db, [
    ctx.db.run(sql`
      UPDATE billing_stopped_servers SET started = 1 WHERE region = ${ctx.region} AND started = 0 AND EXISTS (
        SELECT 1 FROM servers server WHERE server.id = server_id AND server.vm_state = 'active' AND server.task_state IS NULL)`),
    // A stop whose time ran out has failed for Nova only: the machine still has its word, and may yet do it.
    ctx.db.run(sql`
      DELETE FROM billing_stopped_servers WHERE region = ${ctx.region} AND NOT EXISTS (
        SELECT 1 FROM servers server WHERE server.id = server_id AND server.deleted_at_ms IS NULL
          AND (${suspended(ctx)} OR (started = 0 AND (server.task_state IS NOT NULL OR server.vm_state IN ('stopped', 'error')))))`),
  ]);
  const stopped = sql`server.vm_state = 'stopped' AND server.task_state IS NULL AND ${remembered} AND NOT ${suspended(ctx)}`;
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
