import { type SQL, sql } from 'drizzle-orm';
import type { ActorContext } from '../../http/context.ts';
import { notFound } from '../../http/errors.ts';
import { isAdmin } from '../../http/policy.ts';
import type { GroupPolicy } from './placement.ts';

export interface ServerGroupRow {
  id: string;
  projectId: string;
  userId: string;
  name: string;
  policy: GroupPolicy;
  maxServerPerHost: number | null;
  /** Ids of the servers in it that are not deleted, as JSON. */
  members: string;
}

export const groupNotFound = (id: string) => notFound(`Instance group ${id} could not be found.`);

/** The group of an id as far as the actor may know of it; the table is `g`. */
export const ownGroup = (ctx: ActorContext, id: string): SQL =>
  sql`g.id = ${id} AND g.region = ${ctx.region} AND ${isAdmin(ctx) ? sql`1` : sql`g.project_id = ${ctx.actor.projectId ?? ''}`}`;

/** Reads groups with their members, in order of creation. */
export const selectGroups = (ctx: ActorContext, of: { where: SQL; limit?: number; offset?: number }) =>
  ctx.db.all<ServerGroupRow>(sql`
    SELECT g.id, g.project_id AS projectId, g.user_id AS userId, g.name, g.policy, g.max_server_per_host AS maxServerPerHost, (
      SELECT json_group_array(s.id ORDER BY s.number) FROM server_group_members m JOIN servers s ON s.id = m.server_id
      WHERE m.group_id = g.id AND s.deleted_at_ms IS NULL) AS members
    FROM server_groups g WHERE ${of.where} ORDER BY g.number LIMIT ${of.limit ?? -1} OFFSET ${of.offset ?? 0}`);
