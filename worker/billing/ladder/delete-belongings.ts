import { sql } from 'drizzle-orm';
import { deleteServer } from '../../compute/servers/delete-server.ts';
import type { Context, ProjectContext } from '../../http/context.ts';
import { asSystem } from '../../http/system-actor.ts';
import { deleteImage } from '../../image/delete-image.ts';
import { deleteFloatingIp } from '../../network/floating-ips/delete-floating-ip.ts';
import { showFloatingIp } from '../../network/floating-ips/floating-ip-rows.ts';
import { deleteForward } from '../../network/port-forwardings/change-forwards.ts';
import { deletionDue } from './accounts-due.ts';
import { belongings } from './belongings.ts';
import { eachApart } from './each-apart.ts';

/** Resources that one round deletes; more wait for the next. */
const DELETED_MAX = 50;

interface Belonging {
  accountId: string;
  projectId: string;
  kind: 'server' | 'floating-ip' | 'image';
  id: string;
}

const DELETE: Record<Belonging['kind'], (ctx: ProjectContext, id: string) => Promise<void>> = {
  server: deleteServer,
  'floating-ip': async (ctx, id) => {
    // It is not given back while any of its ports leads anywhere.
    const { forwards } = await showFloatingIp(ctx, id);
    for (const forward of forwards) await deleteForward(ctx, id, forward.id);
    await deleteFloatingIp(ctx, { id, expectedRevision: undefined });
  },
  image: deleteImage,
};

/** Deletes what accounts have that stayed suspended to the end. Each account is asked again before each: it may have paid. */
export async function deleteBelongings(ctx: Context): Promise<void> {
  const due = (accountId: ReturnType<typeof sql>) =>
    sql`EXISTS (SELECT 1 FROM billing_accounts account WHERE account.region = ${ctx.region} AND account.id = ${accountId} AND ${deletionDue(ctx.region, ctx.clock.nowMs())})`;
  const [any] = await ctx.db.all(
    sql`SELECT 1 FROM billing_accounts account WHERE account.region = ${ctx.region} AND ${deletionDue(ctx.region, ctx.clock.nowMs())} LIMIT 1`,
  );
  if (!any) return;
  const all = await ctx.db.all<Belonging>(sql`
    SELECT own.account_id AS "accountId", own.project_id AS "projectId", own.kind, own.id FROM (${belongings(ctx)}) own
    WHERE own.going = 0 AND ${due(sql`own.account_id`)} ORDER BY random() LIMIT ${DELETED_MAX}`);
  await eachApart(all, async ({ accountId, projectId, kind, id }) => {
    const own = sql`own.account_id = ${accountId} AND own.project_id = ${projectId} AND own.kind = ${kind} AND own.id = ${id}`;
    const [still] = await ctx.db.all(
      sql`SELECT 1 FROM (${belongings(ctx)}) own WHERE ${own} AND ${due(sql`own.account_id`)}`,
    );
    if (still) await DELETE[kind](asSystem(ctx, projectId), id);
  });
}
