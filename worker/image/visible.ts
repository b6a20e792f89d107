import { type SQL, sql } from 'drizzle-orm';
import type { Actor } from '../http/context.ts';
import { isAdmin } from '../http/policy.ts';

/** Who reads images, and where. */
export interface Viewer {
  region: string;
  actor: Pick<Actor, 'projectId' | 'roles'>;
}

/**
 * The images that the actor may read by id: its own, public and community ones, and those shared with it, whether it
 * accepted them or not. An admin reads all. Deleted images exist for nobody. For conditions on the table `images`.
 */
export function visibleImages(viewer: Viewer): SQL {
  const there = sql`images.region = ${viewer.region} AND images.status <> 'deleted'`;
  if (isAdmin(viewer)) return sql`(${there})`;
  const open = sql`images.visibility IN ('public', 'community')`;
  const { projectId } = viewer.actor;
  if (projectId === null) return sql`(${there} AND ${open})`;
  return sql`(${there} AND (${open} OR images.project_id = ${projectId} OR (images.visibility = 'shared' AND EXISTS
    (SELECT 1 FROM image_members WHERE image_members.image_id = images.id AND image_members.member_id = ${projectId}))))`;
}
