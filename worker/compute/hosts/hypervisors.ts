import { z } from 'zod';
import type { ActorContext } from '../../http/context.ts';
import { badRequest, notFound } from '../../http/errors.ts';
import { authorize } from '../../http/policy.ts';
import type { Microversion } from '../http/microversion.ts';
import { last, markerNotFound, type Page, pageOf, type Query, refuseUnknown } from '../http/paging.ts';
import { boolean } from '../http/parameters.ts';
import { check } from '../http/validate.ts';
import { policy } from '../policy.ts';
import { type HostedServer, type HostRow, hostedServers, hostRows, numberOf } from './find-hosts.ts';

export interface Hypervisor {
  row: HostRow;
  /** Null where nobody asked for them. */
  servers: HostedServer[] | null;
}

const UUID = /^[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}$/i;
const KNOWN = ['limit', 'marker', 'hypervisor_hostname_pattern', 'with_servers'];
/** From here on a list may be searched and have servers, and no other parameter is let pass. */
const SEARCHED_SINCE: Microversion = 53;

/** @throws ApiError 400 neither yes nor no */
const wantsServers = (query: Query, version: Microversion): boolean =>
  version >= SEARCHED_SINCE &&
  check({ with_servers: last(query, 'with_servers') }, servedFlag, 'query').with_servers === true;
const servedFlag = z.object({ with_servers: boolean.optional() });

/**
 * The region's machines, paged from 2.33, searched from 2.53.
 * @throws ApiError 400 paging of a search, or a marker that is none; 404 a search that finds nothing
 */
export async function listHypervisors(
  ctx: ActorContext,
  input: { query: Query; version: Microversion; detail: boolean },
): Promise<{ found: Hypervisor[]; page: Page | null }> {
  const { query, version, detail } = input;
  authorize(ctx, policy, `os_compute_api:os-hypervisors:${detail ? 'list-detail' : 'list'}`);
  refuseUnknown(query, KNOWN, version, SEARCHED_SINCE);
  const pattern = version >= SEARCHED_SINCE ? last(query, 'hypervisor_hostname_pattern') : undefined;
  const withServers = wantsServers(query, version);
  const page = version >= 33 ? pageOf(query) : null;
  const hosted = await readHosts(ctx, withServers);
  if (pattern !== undefined) {
    if (query.limit !== undefined || query.marker !== undefined) {
      throw badRequest(
        'Paging over hypervisors with the hypervisor_hostname_pattern query parameter is not supported.',
      );
    }
    return { found: matching(hosted, pattern), page: null };
  }
  if (!page) return { found: hosted, page };
  const at = page.marker === undefined ? -1 : hosted.findIndex(({ row }) => isNamed(row, page.marker ?? '', version));
  if (page.marker !== undefined && at < 0) throw markerNotFound(page.marker);
  return { found: hosted.slice(at + 1, at + 1 + page.limit), page };
}

/** One machine. @throws ApiError 400 from 2.53 an id that is no UUID, 404 */
export async function showHypervisor(
  ctx: ActorContext,
  id: string,
  input: { query: Query; version: Microversion },
): Promise<Hypervisor> {
  authorize(ctx, policy, 'os_compute_api:os-hypervisors:show');
  refuseUnknown(input.query, ['with_servers'], input.version, SEARCHED_SINCE);
  if (input.version >= 53 && !UUID.test(id)) throw badRequest(`Invalid uuid ${id}`);
  const withServers = wantsServers(input.query, input.version);
  const found = (await readHosts(ctx, withServers)).find(({ row }) => isNamed(row, id, input.version));
  if (!found) throw notFound(`Hypervisor with ID '${id}' could not be found.`);
  return found;
}

/** Machines whose names contain a text: the older way to search, and to see their servers. @throws ApiError 404 */
export async function searchHypervisors(
  ctx: ActorContext,
  pattern: string,
  verb: 'search' | 'servers',
): Promise<Hypervisor[]> {
  authorize(ctx, policy, `os_compute_api:os-hypervisors:${verb}`);
  return matching(await readHosts(ctx, verb === 'servers'), pattern);
}

/** All machines, for the sums over them. */
export async function hypervisorStatistics(ctx: ActorContext): Promise<HostRow[]> {
  authorize(ctx, policy, 'os_compute_api:os-hypervisors:statistics');
  return hostRows(ctx);
}

async function readHosts(ctx: ActorContext, withServers: boolean): Promise<Hypervisor[]> {
  if (!withServers) return (await hostRows(ctx)).map((row) => ({ row, servers: null }));
  const [rows, servers] = await ctx.db.batch([hostRows(ctx), hostedServers(ctx)]);
  return rows.map((row) => ({ row, servers: servers.filter((server) => server.runnerId === row.id) }));
}

function matching(hosted: Hypervisor[], pattern: string): Hypervisor[] {
  const found = hosted.filter(({ row }) => row.name.includes(pattern));
  if (found.length === 0) throw notFound(`No hypervisor matching '${pattern}' could be found.`);
  return found;
}

const isNamed = (row: HostRow, id: string, version: Microversion) =>
  version >= 53 ? row.id === id.toLowerCase() : String(numberOf(row.id)) === id;
