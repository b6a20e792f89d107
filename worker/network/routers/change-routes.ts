import type { ActorContext } from '../../http/context.ts';
import { enforce } from '../policy.ts';
import { type Route, routeKey } from './attributes.ts';
import type { RouterRow } from './router-rows.ts';
import { changeRouter } from './update-router.ts';

/** Adds routes to those that a router has, or takes some away; what is so already stays. @throws ApiError as `updateRouter` */
export function changeRoutes(
  ctx: ActorContext,
  id: string,
  { action, sent }: { action: 'add_extraroutes' | 'remove_extraroutes'; sent: Route[] },
): Promise<RouterRow> {
  const plan = (row: RouterRow) => {
    enforce(ctx, action, { projectId: row.projectId });
    const named = new Set(sent.map(routeKey));
    const others = row.routes.filter((route) => !named.has(routeKey(route)));
    return { routes: action === 'add_extraroutes' ? [...others, ...sent] : others };
  };
  return changeRouter(ctx, { id, plan });
}
