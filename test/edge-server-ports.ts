import { and, eq, sql } from 'drizzle-orm';
import { desired, runners } from '../db/schema/fleet.ts';
import { specOf } from '../shared/specs/kinds.ts';
import { commitEffects } from '../worker/fleet/link/record-observed.ts';
import { observers } from '../worker/fleet/observers.ts';
import { commit, runBatch } from '../worker/http/commit.ts';
import type { ProjectContext } from '../worker/http/context.ts';
import {
  lostRace,
  type PortChange,
  type PortRequest,
  planServerPorts,
  serverPortReads,
} from '../worker/network/server-ports.ts';
import { actorContextOf } from './edge-context.ts';
import { type NetActor, testDatabase } from './edge-network.ts';

const db = testDatabase();

/** A verb's context of an actor; pokes are kept. */
export function contextOf(actor: NetActor, roles = ['member', 'reader']): ProjectContext & { poked: string[] } {
  const poked: string[] = [];
  const context = actorContextOf(actor.projectId, roles) as ProjectContext;
  const fleet = { ...context.fleet, poke: (ids: Iterable<string>) => void poked.push(...ids) };
  return { ...context, fleet, poked, region: actor.region ?? context.region };
}

/** Commits a change of ports. */
export const run = (ctx: ProjectContext, change: PortChange) =>
  commit(ctx, { audit: { action: 'test', targetType: 'server', targetId: 's' }, ...change });

/** Makes the ports of a server as a create would. @returns the server's and its ports' ids */
export async function boot(
  ctx: ProjectContext,
  runnerId: string,
  options: { requests?: PortRequest[] | 'auto' | 'none'; groups?: string[]; hostname?: string } = {},
) {
  const input = {
    serverId: crypto.randomUUID(),
    hostname: options.hostname ?? 'Web 1',
    zone: 'nova',
    requests: options.requests ?? 'auto',
    securityGroups: options.groups ?? [],
  };
  for (;;) {
    const plan = await planServerPorts(ctx, input, await runBatch(db, serverPortReads(ctx, input)), runnerId);
    try {
      await run(ctx, plan);
      return { serverId: input.serverId, portIds: plan.portIds };
    } catch (error) {
      if (!lostRace(error)) throw error;
    }
  }
}

/** What a runner should hold, each spec checked, as `kind id` with its spec; tombstones apart. */
export async function held(runnerId: string) {
  const rows = await db.select().from(desired).where(eq(desired.runnerId, runnerId));
  const [runner] = await db.select().from(runners).where(eq(runners.id, runnerId));
  const live = rows.filter((row) => !row.deleted);
  for (const row of live) specOf[row.kind as keyof typeof specOf].parse(row.spec);
  return {
    generation: runner?.generation ?? 0,
    live: new Map(live.map((row) => [`${row.kind} ${row.id}`, row.spec as Record<string, unknown>])),
    gone: rows.filter((row) => row.deleted).map((row) => `${row.kind} ${row.id}`),
    generations: new Map(rows.map((row) => [`${row.kind} ${row.id}`, row.generation])),
    kinds: (kind: string) =>
      live
        .filter((row) => row.kind === kind)
        .map((row) => row.id)
        .sort(),
  };
}

/** A runner reports on a port. */
export async function observe(runnerId: string, id: string, state: 'applied' | 'failed' | 'absent') {
  const ctx = contextOf({ projectId: '', userId: '', token: '' });
  const [row] = await db
    .select()
    .from(desired)
    .where(and(eq(desired.runnerId, runnerId), eq(desired.kind, 'port'), eq(desired.id, id)));
  const observation = { kind: 'port', id, generation: row?.generation ?? 0, state };
  await commitEffects(ctx, [observers.port(ctx, runnerId, observation)]);
  if (state === 'absent') {
    await db.delete(desired).where(sql`runner_id = ${runnerId} AND kind = 'port' AND id = ${id} AND deleted = 1`);
  }
}
