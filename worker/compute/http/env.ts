import type { Context as HonoContext } from 'hono';
import type { ActorContext, AppEnv } from '../../http/context.ts';
import type { Links } from './links.ts';
import type { Microversion } from './microversion.ts';

/** The types of compute's apps: what its middleware adds to the shared ones. */
export interface ComputeEnv {
  Bindings: AppEnv['Bindings'];
  Variables: AppEnv['Variables'] & { microversion: Microversion; links: Links };
}
export type ComputeContext = HonoContext<ComputeEnv>;

/** How an answer is worded: by which version, with which links, and whether for an operator's eyes. */
export interface Rendering {
  version: Microversion;
  links: Links;
  admin: boolean;
}

/** The context that verbs take. */
export const actorOf = (c: ComputeContext): ActorContext => ({ ...c.get('ctx'), actor: c.get('actor') });

/** What views take. */
export function renderingOf(c: ComputeContext): Rendering {
  return {
    version: c.get('microversion'),
    links: c.get('links'),
    admin: c.get('actor').roles.includes('admin'),
  };
}
