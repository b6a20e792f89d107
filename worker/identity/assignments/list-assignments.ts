import { and, eq, or, type SQL, sql } from 'drizzle-orm';
import { impliedRoles, projects, roles } from '../../../db/schema/identity.ts';
import type { ActorContext } from '../../http/context.ts';
import { badRequest } from '../../http/errors.ts';
import { given } from '../../http/given.ts';
import { stands } from '../groups/stands.ts';
import { missing } from '../http/names.ts';
import { authorize } from '../policy.ts';
import { idsBelow } from '../projects/tree.ts';
import type { AssignmentQuery } from './assignment-query.ts';

/** Rows read for one list. */
const ASSIGNMENTS_MAX = 10_000;

/** A role assignment with the names of what it connects. */
export interface AssignmentRow {
  actorType: 'user' | 'group';
  actorId: string;
  actorName: string | null;
  actorDomainId: string | null;
  actorDomainName: string | null;
  targetType: 'project' | 'domain' | 'system';
  targetId: string;
  targetName: string | null;
  targetDomainId: string | null;
  targetDomainName: string | null;
  roleId: string;
  roleName: string;
  roleDomainId: string;
  roleDomainName: string | null;
  inherited: 0 | 1;
  /** Where one that was handed down was made. */
  fromType: 'project' | 'domain' | null;
  fromId: string | null;
  /** The group by which it came to the user. */
  groupId: string | null;
  /** The role that implies this one. */
  priorRoleId?: string;
}

/** @throws ApiError 400, 403, 404 (no such project, with its subtree) */
export async function listAssignments(
  ctx: ActorContext,
  query: AssignmentQuery,
): Promise<{ rows: AssignmentRow[]; truncated: boolean }> {
  const { db } = ctx;
  const own = ctx.actor.domainId;
  if (!query.includeSubtree) authorize(ctx, 'identity:list_role_assignments', given({ domainId: own ?? undefined }));
  const [[project], inferences, found] = await db.batch([
    db
      .select({ domainId: projects.domainId })
      .from(projects)
      .where(eq(projects.id, query.projectId ?? '')),
    db
      .select({ priorId: impliedRoles.priorRoleId, id: roles.id, name: roles.name, domainId: roles.domainId })
      .from(impliedRoles)
      .innerJoin(roles, eq(roles.id, impliedRoles.impliedRoleId)),
    db.all<AssignmentRow>(select(query, own)),
  ]);
  if (query.includeSubtree) {
    authorize(ctx, 'identity:list_role_assignments_for_tree', given({ domainId: project?.domainId }));
    if (query.projectId === undefined) {
      throw badRequest('scope.project.id must be specified if include_subtree is also specified');
    }
    if (!project) throw missing('project', query.projectId);
  }
  const rows = query.effective ? found.flatMap((row) => effectiveRows(row, inferences)) : found;
  return {
    rows: rows.filter((row) => query.roleId === undefined || row.roleId === query.roleId).slice(0, ASSIGNMENTS_MAX),
    truncated: found.length > ASSIGNMENTS_MAX,
  };
}

interface Inference {
  priorId: string;
  id: string;
  name: string;
  domainId: string;
}

/** One row for each global role that comes with this one, itself included where it is global. */
function effectiveRows(row: AssignmentRow, inferences: readonly Inference[]): AssignmentRow[] {
  const rows = [row];
  const seen = new Set([row.roleId]);
  // The list grows while it is walked.
  for (const prior of rows) {
    for (const { priorId, id, name, domainId } of inferences) {
      if (priorId !== prior.roleId || seen.has(id)) continue;
      seen.add(id);
      rows.push({ ...row, roleId: id, roleName: name, roleDomainId: domainId, priorRoleId: prior.roleId });
    }
  }
  return rows.filter(({ roleDomainId }) => roleDomainId === '');
}

const AS_MADE = sql`made AS (
  SELECT actor_type, actor_id, target_type, target_id, role_id, inherited, NULL AS from_type, NULL AS from_id,
    NULL AS group_id
  FROM assignments)`;

/**
 * Each one that is handed down stands once for every project it reaches, and no longer for where it was made; and one of
 * a group once for every member.
 */
const HANDED_DOWN = sql`below(top, id) AS (
    SELECT projects.parent_id, projects.id FROM projects
    WHERE projects.parent_id IN (SELECT target_id FROM assignments WHERE inherited = 1 AND target_type = 'project')
    UNION SELECT below.top, projects.id FROM projects JOIN below ON projects.parent_id = below.id
  ),
  reached AS (
    SELECT actor_type, actor_id, target_type, target_id, role_id, inherited, NULL AS from_type, NULL AS from_id
    FROM assignments WHERE inherited = 0
    UNION ALL SELECT actor_type, actor_id, 'project', projects.id, role_id, 1, 'domain', target_id
    FROM assignments JOIN projects ON projects.domain_id = target_id WHERE inherited = 1 AND target_type = 'domain'
    UNION ALL SELECT actor_type, actor_id, 'project', below.id, role_id, 1, 'project', target_id
    FROM assignments JOIN below ON below.top = target_id WHERE inherited = 1 AND target_type = 'project'
  ),
  made AS (
    SELECT reached.*, NULL AS group_id FROM reached WHERE actor_type = 'user'
    UNION ALL SELECT 'user', group_members.user_id, target_type, target_id, role_id, inherited, from_type, from_id,
      group_members.group_id
    FROM reached JOIN group_members ON group_members.group_id = actor_id WHERE actor_type = 'group' AND ${stands})`;

function select(query: AssignmentQuery, ownDomainId: string | null): SQL {
  return sql`WITH RECURSIVE ${query.effective ? HANDED_DOWN : AS_MADE}
    SELECT made.actor_type AS actorType, made.actor_id AS actorId,
      coalesce(users.name, groups.name) AS actorName,
      coalesce(users.domain_id, groups.domain_id) AS actorDomainId, actor_domains.name AS actorDomainName,
      made.target_type AS targetType, made.target_id AS targetId, coalesce(projects.name, domains.name) AS targetName,
      projects.domain_id AS targetDomainId, project_domains.name AS targetDomainName,
      roles.id AS roleId, roles.name AS roleName, roles.domain_id AS roleDomainId, role_domains.name AS roleDomainName,
      made.inherited AS inherited, made.from_type AS fromType, made.from_id AS fromId, made.group_id AS groupId
    FROM made
    JOIN roles ON roles.id = made.role_id
    LEFT JOIN domains AS role_domains ON role_domains.id = roles.domain_id
    LEFT JOIN users ON made.actor_type = 'user' AND users.id = made.actor_id
    LEFT JOIN groups ON made.actor_type = 'group' AND groups.id = made.actor_id
    LEFT JOIN domains AS actor_domains ON actor_domains.id = coalesce(users.domain_id, groups.domain_id)
    LEFT JOIN projects ON made.target_type = 'project' AND projects.id = made.target_id
    LEFT JOIN domains AS project_domains ON project_domains.id = projects.domain_id
    LEFT JOIN domains ON made.target_type = 'domain' AND domains.id = made.target_id
    WHERE ${where(query, ownDomainId)}
    ORDER BY made.actor_id, made.target_type, made.target_id, roles.id LIMIT ${ASSIGNMENTS_MAX + 1}`;
}

function where(query: AssignmentQuery, ownDomainId: string | null): SQL {
  const { userId, groupId, roleId, projectId, domainId, inherited } = query;
  const onProject = sql`made.target_type = 'project' AND made.target_id`;
  const conditions: (SQL | undefined)[] = [
    userId === undefined ? undefined : sql`made.actor_type = 'user' AND made.actor_id = ${userId}`,
    groupId === undefined ? undefined : sql`made.actor_type = 'group' AND made.actor_id = ${groupId}`,
    domainId === undefined ? undefined : sql`made.target_type = 'domain' AND made.target_id = ${domainId}`,
    query.system ? sql`made.target_type = 'system'` : undefined,
    inherited === undefined ? undefined : sql`made.inherited = ${inherited ? 1 : 0}`,
    // A role may also come by another that implies it: effective lists are filtered when those are known.
    roleId === undefined || query.effective ? undefined : sql`roles.id = ${roleId}`,
    ownDomainId === null
      ? undefined
      : sql`(projects.domain_id = ${ownDomainId} OR (made.target_type = 'domain' AND made.target_id = ${ownDomainId}))`,
  ];
  if (projectId !== undefined) {
    const exact = sql`${onProject} = ${projectId}`;
    conditions.push(query.includeSubtree ? or(exact, sql`${onProject} IN ${idsBelow(projectId)}`) : exact);
  }
  return and(...conditions) ?? sql`1`;
}
