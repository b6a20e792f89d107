import { createMiddleware } from 'hono/factory';
import { badRequest } from '../../http/errors.ts';
import type { ComputeEnv } from './env.ts';
import { MICROVERSION_MIN, negotiate, versionHeaders, versionText } from './microversion.ts';

/** Nova repeats the request's id under a name of its own. */
export const requestIdHeader = createMiddleware<ComputeEnv>(async (c, next) => {
  await next();
  c.res.headers.set('x-compute-request-id', c.get('ctx').requestId);
});

/**
 * Settles how a request is answered: its version (of `v2.1` alone: `v2` has none), and where its links start.
 * @throws ApiError 400 a project in the path that is not the token's, or no version; 406 a version that is not served
 */
export const settle = (path: 'v2' | 'v2.1') =>
  createMiddleware<ComputeEnv>(async (c, next) => {
    const project = c.req.param('project_id');
    const { baseUrl } = c.get('ctx');
    const within = project ? `/${project}` : '';
    c.set('links', { self: `${baseUrl}/compute/${path}${within}`, bookmark: `${baseUrl}/compute${within}` });
    const version =
      path === 'v2'
        ? MICROVERSION_MIN
        : negotiate({
            standard: c.req.header('openstack-api-version'),
            legacy: c.req.header('x-openstack-nova-api-version'),
          });
    c.set('microversion', version);
    const own = c.get('actor').projectId;
    if (project && project !== own) {
      throw badRequest(
        `Malformed request URL: URL's project_id '${project}' doesn't match Context's project_id '${own ?? 'None'}'`,
      );
    }
    await next();
    if (path === 'v2') return;
    for (const [name, value] of Object.entries(versionHeaders(versionText(version)))) c.res.headers.set(name, value);
  });
