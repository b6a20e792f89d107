import { Hono } from 'hono';
import { z } from 'zod';
import { type AppContext, type AppEnv, actorContext } from '../../http/context.ts';
import { readMember } from '../http/body.ts';
import {
  defaultConfig,
  deleteDomainConfig,
  getDomainConfig,
  putDomainConfig,
  updateDomainConfig,
} from './domain-configs.ts';
import type { DomainConfig } from './options.ts';

const ALL = '/:domain/config';
const PATHS = [ALL, `${ALL}/:group`, `${ALL}/:group/:option`];
export const configBody = z.record(z.string(), z.unknown()) as unknown as z.ZodType<DomainConfig>;

const domainOf = (c: AppContext) => c.req.param('domain') ?? '';
const partOf = (c: AppContext) => ({ group: c.req.param('group'), option: c.req.param('option') });

/** What of identity a domain has set for itself, below `/domains`. */
export const domainConfigRoutes = new Hono<AppEnv>()
  .on('GET', ['/config/default', '/config/:group/default', '/config/:group/:option/default'], (c) =>
    c.json({ config: defaultConfig(actorContext(c), partOf(c)) }),
  )
  .on('GET', PATHS, async (c) => c.json({ config: await getDomainConfig(actorContext(c), domainOf(c), partOf(c)) }))
  .put(ALL, async (c) => {
    const made = await putDomainConfig(actorContext(c), domainOf(c), await readMember(c, 'config', configBody));
    return c.json({ config: made.config }, made.isNew ? 201 : 200);
  })
  .on('PATCH', PATHS, async (c) => {
    const change = await readMember(c, 'config', configBody);
    return c.json({ config: await updateDomainConfig(actorContext(c), domainOf(c), partOf(c), change) });
  })
  .on('DELETE', PATHS, async (c) => {
    await deleteDomainConfig(actorContext(c), domainOf(c), partOf(c));
    return c.body(null, 204);
  });
