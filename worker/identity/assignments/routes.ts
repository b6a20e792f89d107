import { Hono } from 'hono';
import { type AppEnv, actorContext } from '../../http/context.ts';
import { queryOf, selfUrl } from '../http/collection.ts';
import { parseAssignmentQuery } from './assignment-query.ts';
import { listAssignments } from './list-assignments.ts';
import { assignmentView } from './views.ts';

export const assignmentRoutes = new Hono<AppEnv>().get('/', async (c) => {
  const ctx = actorContext(c);
  const query = parseAssignmentQuery(queryOf(c));
  const { rows, truncated } = await listAssignments(ctx, query);
  return c.json({
    role_assignments: rows.map((row) => assignmentView(ctx.baseUrl, row, query.includeNames)),
    links: { next: null, self: selfUrl(c), previous: null },
    ...(truncated ? { truncated: true } : {}),
  });
});
