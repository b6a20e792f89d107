import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { changed, filled } from './bodies.ts';
import { readCorpus } from './corpus.ts';
import { changedTables, DatabaseWatch } from './digest.ts';
import { malformed } from './faults.ts';
import { eachObject } from './kinds.ts';
import { openSegments, type Pick, type Plan, plansFor } from './requests.ts';
import { allRoutes, nameOf, type Route } from './routes.ts';
import { type Answer, closeConnections, NoAnswer, send, type Wire } from './send.ts';
import { World } from './world.ts';

/**
 * The same requests each time, so that a change is judged by what it changed. `RUNS=50 SEED=random npx vitest run test/fuzz`
 * tries others, and more of them; BUDGET_S for how long; STATS=1 lists what did nothing.
 */
const RUNS_PER_ROUTE = Number(process.env.RUNS ?? 16);
const RUNS_OF_ROUND = 4;
const REPEATS_EVERY = 5;
const { SEED: named = '1' } = process.env;
const SEED = named === 'random' ? Date.now() % 1_000_000 : Number(named);
const ONLY = process.env.ROUTES ? new RegExp(process.env.ROUTES) : /./;
/** Far more than an answer takes on a loaded machine, but for polls of runners. */
const DEADLINE_MS = 20_000;
/** Enough of the rounds fit in on two idle cores. */
const BUDGET_MS = Number(process.env.BUDGET_S ?? 75) * 1_000;
const TEST_TIMEOUT_MS = 1_800_000;
const SHOWN_CHARS_MAX = 600;
/** What anyone may change of the own, whatever the role in a project. */
const OWN_AFFAIRS = /^(keypairs|revocations|users|credentials|trusts?|application_credential|access_rule|trust_)/;

const corpus = readCorpus();
const findings = new Map<string, string>();
/** The routes that did what was asked, once at least. */
const reached = new Set<string>();
let world: World;
let watch: DatabaseWatch;

beforeAll(async () => {
  world = await World.open(corpus);
  watch = new DatabaseWatch(world.cloud.paths.database);
}, 120_000);
afterAll(async () => {
  watch?.close();
  closeConnections();
  await world?.cloud.stop();
});

function idOf(pick: Pick, { sender }: Plan, method: string): string {
  if (pick.from === 'text') return pick.text;
  // What an admin changes of the other tenant's could make it known by right.
  const other = pick.from === 'other' && (sender !== 'admin' || method === 'GET');
  const { pool } = other ? world.other : world.own;
  return encodeURIComponent(pool.pick(pick.from === 'any' ? '' : pick.kind, pick.at) ?? crypto.randomUUID());
}

function bodyOf(route: Route, { body }: Plan): Buffer | undefined {
  if (body === undefined) return undefined;
  if ('bytes' in body) return body.bytes;
  const known = corpus[nameOf(route)]?.bodies ?? [];
  // A route that nobody has been seen to call gets what others take.
  const all = known.length > 0 ? known : Object.values(corpus).flatMap((one) => one.bodies);
  const fill = (kind: string) => world.own.pool.pick(kind, 0) ?? crypto.randomUUID();
  return Buffer.from(changed(filled(all[body.of % all.length], fill), body.changes));
}

function wireOf(route: Route, plan: Plan): Wire {
  const { method } = route;
  let at = 0;
  const path = route.path
    .replaceAll(/:[^/{]+(\{[^}]+\})?/g, () => idOf(plan.segments[at++] ?? { from: 'text', text: 'x' }, plan, method))
    .replace('*', 'x');
  const query = plan.query.map(
    ({ key, value }) => `${encodeURIComponent(key.toWellFormed())}=${idOf(value, plan, method)}`,
  );
  const body = bodyOf(route, plan);
  const token = world.tokenOf(plan.sender);
  const type =
    plan.contentType ??
    (route.service === 'image' && method === 'PATCH'
      ? 'application/openstack-images-v2.1-json-patch'
      : 'application/json');
  return {
    method,
    path: `${path}${query.length > 0 ? `?${query.join('&')}` : ''}`.replaceAll(/[^\x21-\xff]/g, encodeURIComponent),
    headers: {
      accept: 'application/json',
      ...(body && type !== '' ? { 'content-type': type } : {}),
      ...(token ? { 'x-auth-token': token } : {}),
      ...plan.headers,
    },
    body,
  };
}

function learn(wire: Wire, { status, text }: Answer, { sender }: Plan): void {
  if (status >= 300) return;
  if (wire.method === 'DELETE') world.own.pool.remove(wire.path.split('?')[0]?.split('/').at(-1) ?? '');
  else if (text.startsWith('{') && (wire.method !== 'GET' || sender === 'member')) {
    eachObject(JSON.parse(text), wire.path, (kind, { id }) => world.own.pool.add(kind, id));
  }
}

/** An answer without what its sender knew: a refusal repeats the name that was asked for. */
function unknownOf({ path }: Wire, { text, headers }: Answer): string {
  const said = `${text}${JSON.stringify(headers)}`;
  const sent = path.split(/[/?&=]/).filter((part) => part.includes(world.secret));
  return sent.reduce((left, part) => left.replaceAll(decodeURIComponent(part), ''), said);
}

/** Sends one request, and notes what must not be. */
async function tryOnce(route: Route, plan: Plan): Promise<void> {
  const wire = wireOf(route, plan);
  const before = watch.now();
  const foreign =
    plan.sender === 'admin' || route.method === 'GET' ? undefined : watch.ofProject(world.other.projectId);
  const found = (what: string, answer?: Answer) => {
    const shown = wire.body?.toString().slice(0, SHOWN_CHARS_MAX) ?? '';
    const said = answer ? `${answer.status} ${answer.text.slice(0, SHOWN_CHARS_MAX)}` : '';
    const { 'x-auth-token': _, ...headers } = wire.headers;
    const key = `${nameOf(route)} ${what}`;
    if (findings.has(key)) return;
    findings.set(
      key,
      `${key}\n  ${plan.sender}: ${wire.method} ${wire.path} ${JSON.stringify(headers)} ${shown}\n  ${said}`,
    );
  };
  let answer: Answer;
  try {
    answer = await send(world.cloud.url, wire, DEADLINE_MS);
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error;
    return found(error.message);
  }
  const wrong = malformed(route.service, answer);
  if (wrong) found(wrong, answer);
  if (plan.sender !== 'admin' && unknownOf(wire, answer).includes(world.secret)) {
    found("tells what is another project's", answer);
  }
  const changes = changedTables(before, watch.now());
  if (changes.length > 0) {
    const low = plan.sender === 'reader' || plan.sender === 'unscoped' || plan.sender === 'nobody';
    const beyond = changes.filter((table) => !OWN_AFFAIRS.test(table));
    if (answer.status >= 400) found(`changed ${changes.join()} and was refused`, answer);
    else if (wire.method === 'GET') found(`changed ${changes.join()}, though it reads`, answer);
    else if (low && beyond.length > 0) found(`changed ${beyond.join()} as ${plan.sender}`, answer);
    const theirs = foreign ? changedTables(foreign, watch.ofProject(world.other.projectId)) : [];
    if (theirs.length > 0) found(`changed another project's ${theirs.join()}`, answer);
  }
  learn(wire, answer, plan);
  if (answer.status < 300) reached.add(nameOf(route));
  const authentic = plan.sender !== 'nobody' && !('x-auth-token' in plan.headers);
  if (answer.status === 401 && authentic && !/auth\/tokens|password/.test(route.path)) world.ownIsGone = true;
}

it('has another tenant with something to hide of each kind', () => {
  for (const kind of ['server', 'keypair', 'server_group', 'image', 'network', 'subnet', 'port', 'security_group']) {
    expect(world.other.pool.has(kind), kind).toBe(true);
  }
});

it(
  `answers whatever is sent to it (SEED=${SEED} RUNS=${RUNS_PER_ROUTE})`,
  async () => {
    const routes = allRoutes().filter((route) => ONLY.test(nameOf(route)));
    const began = performance.now();
    // What the first round made, the next ones find. Only the first is never cut short.
    for (let round = 0; round * RUNS_OF_ROUND < RUNS_PER_ROUTE; round += 1) {
      for (const route of routes) {
        // The same code under another path: each in one round of some.
        if (route.repeats && seedOf(route, round) % REPEATS_EVERY !== 0) continue;
        if (round > 0 && performance.now() - began > BUDGET_MS) break;
        await tryRoute(route, round);
      }
    }
    const main = routes.filter((route) => !route.repeats);
    const unreached = main.map(nameOf).filter((name) => !reached.has(name));
    if (process.env.STATS) console.log(`${unreached.length} of ${main.length} did nothing:\n${unreached.join('\n')}`);
    expect([...findings.values()].join('\n\n')).toBe('');
    expect(unreached.length).toBeLessThan(main.length * 0.75);
  },
  TEST_TIMEOUT_MS,
);

async function tryRoute(route: Route, round: number): Promise<void> {
  await world.heal();
  for (const kind of openSegments(route.path)) await world.replenish(kind);
  const bodies = corpus[nameOf(route)]?.bodies.length ?? 0;
  const numRuns = route.repeats ? 1 : Math.ceil(Math.max(RUNS_OF_ROUND, bodies / 2));
  for (const plan of fc.sample(plansFor(route, corpus), { seed: seedOf(route, round), numRuns })) {
    await tryOnce(route, plan);
  }
}

/** The same whichever other routes are tried. */
function seedOf(route: Route, round: number): number {
  return [...nameOf(route)].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) | 0, SEED + round);
}
