import { type SQL, sql } from 'drizzle-orm';
import type { Context } from '../../http/context.ts';

/**
 * What an account's projects have that is deleted at the end of the ladder: a query of (account_id, project_id, kind, id,
 * going). Images that are protected, or that everybody may use, are an operator's to judge; so are networks, which cost nothing.
 */
export const belongings = (ctx: Context): SQL => sql`
  SELECT link.account_id, link.project_id, 'server' AS kind, server.id, server.task_state IS 'deleting' AS going
  FROM billing_account_projects link JOIN servers server ON server.project_id = link.project_id
  WHERE link.region = ${ctx.region} AND server.region = ${ctx.region} AND server.deleted_at_ms IS NULL
  UNION ALL SELECT link.account_id, link.project_id, 'floating-ip', address.id, 0
  FROM billing_account_projects link JOIN floating_ips address ON address.project_id = link.project_id
  WHERE link.region = ${ctx.region} AND address.region = ${ctx.region}
  UNION ALL SELECT link.account_id, link.project_id, 'image', image.id, 0
  FROM billing_account_projects link JOIN images image ON image.project_id = link.project_id
  WHERE link.region = ${ctx.region} AND image.region = ${ctx.region} AND image.status <> 'deleted' AND image.protected = 0
    AND image.visibility IN ('private', 'shared')`;
