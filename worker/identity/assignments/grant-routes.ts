import { Hono } from 'hono';
import { type AppContext, type AppEnv, actorContext } from '../../http/context.ts';
import { renderWhole } from '../http/collection.ts';
import { roleView } from '../roles/views.ts';
import { checkGrant, listGrants } from './check-grant.ts';
import { createGrant } from './create-grant.ts';
import type { Grant, GrantTarget } from './grant.ts';
import { revokeGrant } from './revoke-grant.ts';

const onProject =
  (inherited: boolean) =>
  (c: AppContext): GrantTarget => ({
    type: 'project',
    id: c.req.param('target') ?? '',
    inherited,
  });
const onDomain =
  (inherited: boolean) =>
  (c: AppContext): GrantTarget => ({
    type: 'domain',
    id: c.req.param('target') ?? '',
    inherited,
  });
const onSystem = (): GrantTarget => ({ type: 'system', id: 'all', inherited: false });

/** Where the grants of a user or group on something are found. */
const PLACES: readonly { path: string; end: string; targetOf: (c: AppContext) => GrantTarget }[] = [
  { path: '/projects/:target', end: '', targetOf: onProject(false) },
  { path: '/domains/:target', end: '', targetOf: onDomain(false) },
  { path: '/system', end: '', targetOf: onSystem },
  { path: '/OS-INHERIT/projects/:target', end: '/inherited_to_projects', targetOf: onProject(true) },
  { path: '/OS-INHERIT/domains/:target', end: '/inherited_to_projects', targetOf: onDomain(true) },
];

export const grantRoutes = new Hono<AppEnv>();

for (const { path, end, targetOf } of PLACES) {
  for (const type of ['user', 'group'] as const) {
    const list = `${path}/${type}s/:actor/roles${end}`;
    const one = `${path}/${type}s/:actor/roles/:role${end}`;
    const grantOf = (c: AppContext): Grant => ({
      to: { type, id: c.req.param('actor') ?? '' },
      roleId: c.req.param('role') ?? '',
      target: targetOf(c),
    });
    grantRoutes.get(list, async (c) => {
      const ctx = actorContext(c);
      const rows = await listGrants(ctx, grantOf(c));
      return renderWhole(
        c,
        'roles',
        rows.map((row) => roleView(ctx.baseUrl, row)),
      );
    });
    grantRoutes.get(one, async (c) => {
      await checkGrant(actorContext(c), grantOf(c));
      return c.body(null, 204);
    });
    grantRoutes.put(one, async (c) => {
      await createGrant(actorContext(c), grantOf(c));
      return c.body(null, 204);
    });
    grantRoutes.delete(one, async (c) => {
      await revokeGrant(actorContext(c), grantOf(c));
      return c.body(null, 204);
    });
  }
}
