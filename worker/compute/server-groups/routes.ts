import { Hono } from 'hono';
import { requireProject } from '../../http/policy.ts';
import { actorOf, type ComputeEnv } from '../http/env.ts';
import type { Microversion } from '../http/microversion.ts';
import { last, numberIn, PAGE_MAX, refuseUnknown } from '../http/paging.ts';
import { checkedBody } from '../http/validate.ts';
import type { ServerGroupRow } from './group-rows.ts';
import { serverGroupBody } from './schemas.ts';
import { createServerGroup, deleteServerGroup, listServerGroups, showServerGroup } from './server-groups.ts';

/** `/os-server-groups`. */
export const serverGroupRoutes = new Hono<ComputeEnv>();

function groupView(row: ServerGroupRow, version: Microversion) {
  const { maxServerPerHost: most } = row;
  return {
    id: row.id,
    name: row.name,
    ...(version >= 64
      ? { policy: row.policy, rules: most === null ? {} : { max_server_per_host: most } }
      : { policies: [row.policy], metadata: {} }),
    members: JSON.parse(row.members) as string[],
    ...(version >= 13 ? { project_id: row.projectId, user_id: row.userId } : {}),
  };
}

serverGroupRoutes.get('/', async (c) => {
  const query = c.req.queries();
  const version = c.get('microversion');
  refuseUnknown(query, ['all_projects', 'limit', 'offset'], version);
  // That it is there is enough for Nova; only an admin may say so.
  const rows = await listServerGroups(actorOf(c), {
    allProjects: last(query, 'all_projects') !== undefined && c.get('actor').roles.includes('admin'),
    limit: Math.min(PAGE_MAX, numberIn(query, 'limit') ?? PAGE_MAX),
    offset: numberIn(query, 'offset') ?? 0,
  });
  return c.json({ server_groups: rows.map((row) => groupView(row, version)) });
});

serverGroupRoutes.post('/', async (c) => {
  const version = c.get('microversion');
  const ctx = requireProject(actorOf(c));
  const { server_group: input } = await checkedBody(c, serverGroupBody(version));
  return c.json({ server_group: groupView(await createServerGroup(ctx, input), version) });
});

serverGroupRoutes.get('/:id', async (c) =>
  c.json({ server_group: groupView(await showServerGroup(actorOf(c), c.req.param('id')), c.get('microversion')) }),
);

serverGroupRoutes.delete('/:id', async (c) => {
  await deleteServerGroup(actorOf(c), c.req.param('id'));
  return c.body(null, 204);
});
