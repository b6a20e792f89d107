import { and, eq, ne, type SQL, sql } from 'drizzle-orm';
import { runners } from '../../../db/schema/fleet.ts';
import type { ActorContext } from '../../http/context.ts';
import { notFound } from '../../http/errors.ts';
import { byBoolean, byConstant, byText } from '../api/filters.ts';
import type { Listing, ListQuery } from '../api/listing.ts';
import { may } from '../policy.ts';

export type RunnerRow = typeof runners.$inferSelect;

/** What every runner is to Neutron's clients: one agent that does all of it. */
const AGENT_TYPE = 'Aerostat runner';
const BINARY = 'aerostat-runner';

/** The runners of the region, removed ones left out; none for who may not see them. */
const visible = (ctx: ActorContext): SQL =>
  (may(ctx, 'get_agent') ? and(eq(runners.region, ctx.region), ne(runners.state, 'removed')) : undefined) ?? sql`0`;

/** A page of the agents. */
export function listAgents(ctx: ActorContext, query: ListQuery): Promise<RunnerRow[]> {
  return ctx.db
    .select()
    .from(runners)
    .where(and(visible(ctx), query.where))
    .orderBy(...query.orderBy)
    .limit(query.limit);
}

/** One agent. @throws ApiError 404 where there is none that the actor sees */
export async function showAgent(ctx: ActorContext, id: string): Promise<RunnerRow> {
  const [row] = await ctx.db
    .select()
    .from(runners)
    .where(and(eq(runners.id, id), visible(ctx)));
  if (!row) throw notFound(`Agent ${id} could not be found.`, 'AgentNotFound');
  return row;
}

const time = (atMs: number | null) =>
  atMs === null ? null : new Date(atMs).toISOString().slice(0, 19).replace('T', ' ');

/** A runner in the form of an agent. */
export const agentView = (ctx: ActorContext, row: RunnerRow) => ({
  id: row.id,
  agent_type: AGENT_TYPE,
  binary: BINARY,
  topic: 'N/A',
  host: row.name,
  availability_zone: row.zone,
  admin_state_up: row.state === 'enabled',
  alive: (row.leaseExpiresAtMs ?? 0) > ctx.clock.nowMs() && !row.forcedDown,
  description: row.stateReason,
  created_at: time(row.createdAtMs),
  started_at: time(row.createdAtMs),
  heartbeat_timestamp: time(row.lastSeenAtMs),
  resources_synced: null,
  configurations: {
    version: row.version,
    hypervisor: row.hypervisor,
    tunneling_ip: row.tunnelIp,
    tunnel_types: row.tunnelIp === null ? [] : ['vxlan'],
    physical_networks: row.physicalNetworks,
  },
});

/** How agents are filtered and sorted. */
export const agentListing: Listing = {
  table: 'runners',
  filters: {
    id: byText(runners.id),
    host: byText(runners.name),
    availability_zone: byText(runners.zone),
    agent_type: byConstant(AGENT_TYPE),
    binary: byConstant(BINARY),
    topic: byConstant('N/A'),
    admin_state_up: byBoolean(sql`(${runners.state} = 'enabled')`),
    description: byText(sql`coalesce(${runners.stateReason}, '')`),
  },
  sortKeys: {
    id: sql`runners.id`,
    host: sql`runners.name`,
    availability_zone: sql`runners.zone`,
    created_at: sql`runners.created_at_ms`,
  },
};
