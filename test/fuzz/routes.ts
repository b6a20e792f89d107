import { app } from '../../worker/app.ts';

/** A route of the API: what it takes is found in its path, and in what was seen sent to it. */
export interface Route {
  method: string;
  /** As the app names it: `/compute/v2.1/servers/:id`. */
  path: string;
  service: string;
  /** The same calls under another path (`v2`, or with the project in it): they need fewer tries. */
  repeats: boolean;
}

/** `METHOD /path`, by which a route's bodies are known. */
export const nameOf = ({ method, path }: Pick<Route, 'method' | 'path'>): string => `${method} ${path}`;

/** Every route of the app, each once; those with a region before them are the same app again. */
export function allRoutes(): Route[] {
  const routes = new Map<string, Route>();
  for (const { method, path } of app.routes) {
    if (method === 'ALL' || path.startsWith('/r/')) continue;
    const [, service = ''] = path.split('/');
    const repeats = path.startsWith('/compute/v2/') || path.includes(':project_id{');
    routes.set(`${method} ${path}`, { method, path, service, repeats });
  }
  return [...routes.values()];
}

/** The segments of a path that a request must fill in, and what it matches. */
export function matcher(path: string): RegExp {
  const source = path.replaceAll(/\/:[^/{]+(\{([^}]+)\})?/g, (_, __, pattern) => `/(?:${pattern ?? '[^/]+'})`);
  return new RegExp(`^${source.replaceAll('*', '.*')}$`);
}

/** The route that answers a request's path: the one with the fewest open segments. */
export function routeOf(routes: Route[], method: string, path: string): Route | undefined {
  const open = (route: Route) => route.path.split('/:').length;
  return routes
    .filter((route) => route.method === method && matcher(route.path).test(path))
    .sort((one, other) => open(one) - open(other))[0];
}
