import { Hono } from 'hono';
import { z } from 'zod';
import { notFound } from '../../http/errors.ts';
import { actorOf, type ComputeContext, type ComputeEnv, renderingOf } from '../http/env.ts';
import { nextLink } from '../http/paging.ts';
import { checkedBody } from '../http/validate.ts';
import { abortMigration, forceComplete } from './end-live-migration.ts';
import { listMigrations, serverMigration, serverMigrationsOf } from './list-migrations.ts';
import { migrationView, serverMigrationView } from './views.ts';

/** `/os-migrations`. */
export const migrationRoutes = new Hono<ComputeEnv>();

migrationRoutes.get('/', async (c) => {
  const rendering = renderingOf(c);
  const query = c.req.queries();
  const { rows, page } = await listMigrations(actorOf(c), { query, version: rendering.version });
  const ids = rows.map((row) => row.uuid);
  const next = page ? nextLink(rendering.links, 'os-migrations', query, page, ids) : undefined;
  const migrations = rows.map((row) => migrationView(row, rendering));
  return c.json({ migrations, ...(next ? { migrations_links: next } : {}) });
});

const idOf = (c: ComputeContext): string => c.req.param('id') ?? '';
const numberOf = (c: ComputeContext): string => c.req.param('number') ?? '';
export const forceBody = z.strictObject({ force_complete: z.null() });

/** `/servers/{id}/migrations`: each part came with a version of its own. */
export const serverMigrationRoutes = new Hono<ComputeEnv>();

const since = (version: number) => async (c: ComputeContext, next: () => Promise<void>) => {
  if (c.get('microversion') < version) throw notFound('The resource could not be found.');
  await next();
};

serverMigrationRoutes.get('/', since(23), async (c) => {
  const rendering = renderingOf(c);
  const rows = await serverMigrationsOf(actorOf(c), idOf(c));
  return c.json({ migrations: rows.map((row) => serverMigrationView(row, rendering)) });
});
serverMigrationRoutes.get('/:number', since(23), async (c) => {
  const row = await serverMigration(actorOf(c), idOf(c), numberOf(c));
  return c.json({ migration: serverMigrationView(row, renderingOf(c)) });
});
serverMigrationRoutes.delete('/:number', since(24), async (c) => {
  await abortMigration(actorOf(c), idOf(c), numberOf(c), c.get('microversion'));
  return c.body(null, 202);
});
serverMigrationRoutes.post('/:number/action', since(22), async (c) => {
  await checkedBody(c, forceBody);
  await forceComplete(actorOf(c), idOf(c), numberOf(c));
  return c.body(null, 202);
});
