import { Lru } from '../../../shared/lru.ts';
import type { Context } from '../../http/context.ts';
import { buildCatalog, type CatalogEntry } from './catalog.ts';

/** A cloud is called by few names; more than these are made again. */
const CATALOGS_MAX = 64;

interface RenderedCatalog {
  entries: CatalogEntry[];
  json: string;
}

const rendered = new Lru<string, RenderedCatalog>(CATALOGS_MAX);

/** The regions a client is told of: the default one, and the one it asked in. */
export const regionsOf = ({ env, region }: Context): string[] => [...new Set([env.REGION, region])];

/** What clients call the cloud, without the region that this request named. */
export function rootUrlOf({ baseUrl, region }: Context): string {
  const suffix = `/r/${region}`;
  return baseUrl.endsWith(suffix) ? baseUrl.slice(0, -suffix.length) : baseUrl;
}

/** The catalog for a request, made once for each address and region that is asked for. */
export function catalogOf(ctx: Context): RenderedCatalog {
  const rootUrl = rootUrlOf(ctx);
  const regions = regionsOf(ctx);
  const key = `${rootUrl} ${regions.join(' ')}`;
  let catalog = rendered.get(key);
  if (!catalog) {
    const entries = buildCatalog(rootUrl, regions);
    catalog = { entries, json: JSON.stringify(entries) };
    rendered.set(key, catalog);
  }
  return catalog;
}
