import { Lru } from '../../../shared/lru.ts';
import type { Context } from '../../http/context.ts';
import { buildCatalog, type CatalogEntry, type Endpoint, ownEndpoints, ownServices } from './catalog.ts';
import { fillIn, isTemplate } from './endpoint-url.ts';
import { endpointsOfProject, isFiltered } from './endpoints-of-project.ts';
import { type CatalogRows, knownCatalogRows } from './rows.ts';

/** A cloud is called by few names; more than these are made again. */
const CATALOGS_MAX = 64;

/** A catalog as data, and as the JSON of it. */
export interface RenderedCatalog {
  entries: CatalogEntry[];
  json: string;
}

/** Whom a catalog is for. */
export interface CatalogReader {
  userId: string;
  projectId: string | null;
}

/** Made once for each address and region that is asked for, from the rows of the time. */
const rendered = new Lru<string, { rows: CatalogRows; endpoints: Endpoint[]; forAll: RenderedCatalog | undefined }>(
  CATALOGS_MAX,
);

/** The regions a client is told of: the default one, and the one it asked in. */
export const regionsOf = ({ env, region }: Context): string[] => [...new Set([env.REGION, region])];

/** What clients call the cloud, without the region that this request named. */
export function rootUrlOf({ baseUrl, region }: Context): string {
  const suffix = `/r/${region}`;
  return baseUrl.endsWith(suffix) ? baseUrl.slice(0, -suffix.length) : baseUrl;
}

/** The catalog for a reader in a request; most readers see the same, which is at hand. */
export async function catalogOf(ctx: Context, reader: CatalogReader): Promise<RenderedCatalog> {
  const rows = await knownCatalogRows(ctx);
  const rootUrl = rootUrlOf(ctx);
  const regions = regionsOf(ctx);
  const key = `${rootUrl} ${regions.join(' ')}`;
  let at = rendered.get(key);
  if (at?.rows !== rows) {
    const endpoints = [...ownEndpoints(rootUrl, regions), ...rows.endpoints];
    const forAll = endpoints.some(({ url }) => isTemplate(url)) ? undefined : render(rows, endpoints);
    at = { rows, endpoints, forAll };
    rendered.set(key, at);
  }
  const { endpoints, forAll } = at;
  const filtered = reader.projectId !== null && isFiltered(rows, reader.projectId);
  if (forAll && !filtered) return forAll;
  const seen = filtered && reader.projectId ? endpointsOfProject(rows, endpoints, reader.projectId) : endpoints;
  const filled = seen.flatMap((endpoint) => {
    const url = fillIn(endpoint.url, reader);
    return url === undefined ? [] : [{ ...endpoint, url }];
  });
  return render(rows, filled, filtered);
}

function render(rows: CatalogRows, endpoints: readonly Endpoint[], filtered = false): RenderedCatalog {
  const all = buildCatalog([...ownServices, ...rows.services], endpoints);
  const entries = filtered ? all.filter((entry) => entry.endpoints.length > 0) : all;
  return { entries, json: JSON.stringify(entries) };
}
