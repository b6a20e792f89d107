import { and, eq, isNull, ne, sql } from 'drizzle-orm';
import { servers } from '../../../db/schema/compute.ts';
import { runners } from '../../../db/schema/fleet.ts';
import type { ActorContext } from '../../http/context.ts';

export type HostRow = typeof runners.$inferSelect;
export interface HostedServer {
  runnerId: string | null;
  id: string;
  number: number;
}

/** The region's machines by name, for a batch. */
export const hostRows = (ctx: ActorContext) =>
  ctx.db
    .select()
    .from(runners)
    .where(and(eq(runners.region, ctx.region), ne(runners.state, 'removed')))
    .orderBy(runners.name);

/** The servers of the region's machines, for a batch. */
export const hostedServers = (ctx: ActorContext) =>
  ctx.db
    .select({ runnerId: servers.runnerId, id: servers.id, number: servers.number })
    .from(servers)
    .where(and(eq(servers.region, ctx.region), isNull(servers.deletedAtMs), sql`${servers.runnerId} IS NOT NULL`))
    .orderBy(servers.number);

/** Whether a machine's lease holds, and no operator says that it is dead. */
export const isUp = (row: HostRow, nowMs: number): boolean =>
  row.connected && !row.forcedDown && (row.leaseExpiresAtMs ?? 0) > nowMs;

/** The number that versions before 2.53 know a machine by: made of its id, so that it stays the same. */
export const numberOf = (id: string): number => Number.parseInt(id.replaceAll('-', '').slice(0, 7), 16);
