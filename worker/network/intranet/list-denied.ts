import { and, asc, eq, gt, ne, type SQL, sql } from 'drizzle-orm';
import { runners } from '../../../db/schema/fleet.ts';
import { DENIED_FLOWS_MAX, type DeniedFlow, type DeniedQuery, deniedFlows } from '../../../shared/specs/intranet.ts';
import type { ActorContext } from '../../http/context.ts';
import { authorize } from '../../http/policy.ts';
import { iso } from '../../http/times.ts';
import { policy } from './policy.ts';

/** How long a client waits for the machines' answers. */
const DENIED_TIMEOUT_MS = 5_000;
/** Machines that one call asks, and of those at once. */
const HOSTS_MAX = 500;
const HOSTS_AT_ONCE = 32;

type Host = { id: string; name: string };

/**
 * What guests were denied lately, the latest first: the machines hold it, so those that do not answer are named.
 * @param of - whose: of a server or port only its own machine is asked
 */
export async function listDenied(ctx: ActorContext, of: DeniedQuery) {
  authorize(ctx, policy, 'intranet:denied:list');
  const hosts: Host[] = await ctx.db
    .select({ id: runners.id, name: runners.name })
    .from(runners)
    .where(
      and(
        eq(runners.region, ctx.region),
        ne(runners.state, 'removed'),
        gt(runners.leaseExpiresAtMs, ctx.clock.nowMs()),
        ...servedBy(of),
      ),
    )
    .orderBy(asc(runners.name))
    .limit(HOSTS_MAX);
  const answers: { host: Host; flows: DeniedFlow[] | null }[] = [];
  for (let at = 0; at < hosts.length; at += HOSTS_AT_ONCE) {
    const some = hosts.slice(at, at + HOSTS_AT_ONCE);
    answers.push(...(await Promise.all(some.map(async (host) => ({ host, flows: await ask(ctx, host, of) })))));
  }
  const flows = answers.flatMap(({ host, flows }) => (flows ?? []).map((flow) => deniedView(host, flow)));
  return {
    denied: latest(flows.filter(({ destination }) => destination !== null)),
    totals: latest(flows.filter(({ destination }) => destination === null)).map(totalView),
    hosts: {
      answered: answers.filter(({ flows }) => flows !== null).length,
      silent: answers.filter(({ flows }) => flows === null).map(({ host }) => host.name),
    },
  };
}

const servedBy = ({ server_id: serverId, port_id: portId }: DeniedQuery): SQL[] => [
  ...(serverId === undefined ? [] : [sql`runners.id IN (SELECT s.runner_id FROM servers s WHERE s.id = ${serverId})`]),
  ...(portId === undefined ? [] : [sql`runners.id IN (SELECT p.runner_id FROM ports p WHERE p.id = ${portId})`]),
];

/** @returns null where the machine does not answer, or with something else */
async function ask(ctx: ActorContext, host: Host, of: DeniedQuery): Promise<DeniedFlow[] | null> {
  const query = { kind: 'denied', targetId: host.id, args: { ...of } };
  const answer = await ctx.fleet.query(host.id, query, DENIED_TIMEOUT_MS);
  const parsed = answer.ok ? deniedFlows.safeParse(answer.result) : undefined;
  return parsed?.success ? parsed.data.flows : null;
}

const latest = <Flow extends { last_seen: string }>(flows: Flow[]): Flow[] =>
  flows.sort((a, b) => b.last_seen.localeCompare(a.last_seen)).slice(0, DENIED_FLOWS_MAX);

function deniedView(host: Host, flow: DeniedFlow) {
  const { first_seen_ms, last_seen_ms, ...rest } = flow;
  return { ...rest, first_seen: iso(first_seen_ms), last_seen: iso(last_seen_ms), host: host.name };
}

/** All that a port was denied, wherever it went. */
const totalView = ({ destination: _d, protocol: _p, port: _o, ...rest }: ReturnType<typeof deniedView>) => rest;
