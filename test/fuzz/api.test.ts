import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { z } from 'zod';
import { ACTIONS } from '../../worker/compute/servers/action-routes.ts';
import { ofSchema } from './bodies-of.ts';
import { readCorpus } from './corpus.ts';
import { DatabaseWatch } from './digest.ts';
import { Driver } from './driver.ts';
import { parametersOf } from './parameters.ts';
import { QUERIES, singles } from './queries.ts';
import { collectionOf, openSegments, type Plan, plansFor, sensiblePlansFor } from './requests.ts';
import { allRoutes, nameOf, type Route } from './routes.ts';
import { bodyOfRoute } from './schemas.ts';
import { closeConnections } from './send.ts';
import { actionBodies } from './server-actions.ts';
import { UNREACHABLE } from './unreachable.ts';
import { World } from './world.ts';

/**
 * The same requests each time, so that a change is judged by what it changed. `RUNS=50 SEED=random npm run test:unit -- test/fuzz`
 * tries others, and more of them; BUDGET_S for how long; ROUTES for some; STATS=1 says what did nothing, and why.
 */
const RUNS_PER_ROUTE = Number(process.env.RUNS ?? 16);
const RUNS_OF_ROUND = 4;
const SENSIBLE_RUNS = 3;
/** As often again it is tried to have a route do what it is asked. */
const SENSIBLE_ROUNDS_MAX = 8;
const ACTION_ROUNDS_MAX = 3;
const PARAMETER_ROUNDS_MAX = 4;
const REPEATS_EVERY = 5;
const { SEED: named = '1' } = process.env;
const SEED = named === 'random' ? Date.now() % 1_000_000 : Number(named);
const ONLY = process.env.ROUTES ? new RegExp(process.env.ROUTES) : /./;
/** Enough of the rounds fit in on two idle cores. */
const BUDGET_MS = Number(process.env.BUDGET_S ?? 75) * 1_000;
const TEST_TIMEOUT_MS = 1_800_000;
/** Making one finding small takes no longer. */
const SHRINK_MS = 30_000;
/** Of the routes, and of the parameters of lists, those that must do what was asked, once at least. */
const REACHED_SHARE_MIN = 0.85;

const ACTION = 'POST /compute/v2.1/servers/:id/action';

const corpus = readCorpus();
const routes = allRoutes().filter((route) => ONLY.test(nameOf(route)));
const main = routes.filter((route) => !route.repeats);
const findings = new Map<string, string>();
let world: World;
let watch: DatabaseWatch;
let driver: Driver;
/** Why routes did not do what was asked sensibly. */
let refusals: ReadonlyMap<string, string> = new Map();

beforeAll(async () => {
  world = await World.open(corpus);
  watch = new DatabaseWatch(world.cloud.paths.database);
  driver = new Driver(world, watch, allRoutes());
}, 120_000);
afterAll(async () => {
  watch?.close();
  closeConnections();
  await world?.cloud.stop();
});

it('has another tenant with something to hide of each kind', () => {
  for (const kind of ['server', 'keypair', 'server_group', 'image', 'network', 'subnet', 'port', 'security_group']) {
    expect(world.other.pool.has(kind), kind).toBe(true);
  }
});

it(
  'does what it is sensibly asked',
  async () => {
    // What is made first is there to be shown, and what is deleted last.
    for (const route of main.toSorted((one, other) => orderOf(one) - orderOf(other))) {
      const plans = sensiblePlansFor(route, corpus);
      for (let round = 0; round < SENSIBLE_ROUNDS_MAX && !driver.reached.has(nameOf(route)); round += 1) {
        await tryRoute(route, plans, { seed: seedOf(route, -round), numRuns: SENSIBLE_RUNS });
      }
      if (route.path.endsWith('/servers/:id/action')) await tryActions(route);
    }
    refusals = new Map(driver.refusals);
    expect([...findings.values()].join('\n\n')).toBe('');
  },
  TEST_TIMEOUT_MS,
);

it(
  'reads nearly all parameters of its lists',
  async () => {
    const unread: string[] = [];
    let all = 0;
    for (const route of main) {
      const query = QUERIES.get(nameOf(route));
      if (!query) continue;
      for (const one of singles(query)) {
        const [key = 'sort_key'] = one.parameters;
        const name = `${nameOf(route)}?${key}`;
        const plans = sensiblePlansFor(route, corpus, { query: parametersOf(one, collectionOf(route.path), 0) });
        for (let round = 0; round < PARAMETER_ROUNDS_MAX && !driver.reached.has(name); round += 1) {
          await tryRoute(route, plans, { seed: seedOf(route, -round), numRuns: 1 });
        }
        all += 1;
        if (!driver.reached.has(name)) unread.push(`${name}: ${driver.refusals.get(name)}`);
      }
    }
    console.log(`${all - unread.length} of ${all} parameters of lists did what was asked`);
    if (process.env.STATS) console.log(unread.join('\n'));
    expect([...findings.values()].join('\n\n')).toBe('');
    if (ONLY.source === '.') expect(1 - unread.length / all).toBeGreaterThan(REACHED_SHARE_MIN);
  },
  TEST_TIMEOUT_MS,
);

it(
  `answers whatever is sent to it (SEED=${SEED} RUNS=${RUNS_PER_ROUTE})`,
  async () => {
    const began = performance.now();
    // What the first round made, the next ones find. Only the first is never cut short.
    for (let round = 0; round * RUNS_OF_ROUND < RUNS_PER_ROUTE; round += 1) {
      for (const route of routes) {
        // The same code under another path: each in one round of some.
        if (route.repeats && seedOf(route, round) % REPEATS_EVERY !== 0) continue;
        if (round > 0 && performance.now() - began > BUDGET_MS) break;
        await tryRoute(route, plansFor(route, corpus), {
          seed: seedOf(route, round + 1),
          numRuns: route.repeats ? 1 : RUNS_OF_ROUND,
        });
        // What is valid gets further, to code that little else reaches.
        if (!route.repeats && bodyOfRoute(nameOf(route)) !== undefined) {
          await tryRoute(route, sensiblePlansFor(route, corpus), {
            seed: seedOf(route, round + 1),
            numRuns: SENSIBLE_RUNS,
          });
        }
      }
    }
    expect([...findings.values()].join('\n\n')).toBe('');
  },
  TEST_TIMEOUT_MS,
);

it('reached nearly all routes', () => {
  const unreached = main.map(nameOf).filter((name) => !driver.reached.has(name) && !world.did.has(name));
  const reached = main.length - unreached.length;
  const actions = Object.keys(ACTIONS).map((name) => `${ACTION} ${name}`);
  unreached.push(...actions.filter((name) => !driver.reached.has(name)));
  for (const [of, why] of UNREACHABLE)
    console.log(`never reached: ${unreached.filter((name) => of.test(name)).length}, ${why}`);
  const unexplained = unreached.filter((name) => !UNREACHABLE.some(([of]) => of.test(name)));
  console.log(`never reached: ${unexplained.length}, by chance`);
  console.log(`${driver.sent} requests; ${reached} of ${main.length} routes did what was asked`);
  if (process.env.STATS) console.log(unexplained.map((name) => `${name}: ${refusals.get(name)}`).join('\n'));
  if (ONLY.source === '.') expect(reached / main.length).toBeGreaterThan(REACHED_SHARE_MIN);
});

/** Sends a route some requests; one that shows what must not be is made small, and noted. */
async function tryRoute(route: Route, plans: fc.Arbitrary<Plan>, of: { seed: number; numRuns: number }): Promise<void> {
  for (const id of await world.heal()) driver.forget(`/compute/v2.1/servers/${id}`);
  for (const kind of openSegments(route.path)) await world.replenish(kind);
  let first: string | undefined;
  const property = fc.asyncProperty(plans, async (plan) => {
    const found = await driver.tryOnce(route, plan);
    first ??= found?.key;
    // Only what was found first is made small: else it turns into something else.
    if (found && found.key === first) throw new Error(found.shown);
  });
  const details = await fc.check(property, { ...of, interruptAfterTimeLimit: SHRINK_MS });
  if (details.failed && first !== undefined && !findings.has(first)) {
    findings.set(first, details.errorInstance instanceof Error ? details.errorInstance.message : first);
  }
}

/** Each action of a server is a route of its own, but for its path. */
async function tryActions(route: Route): Promise<void> {
  for (const name of Object.keys(ACTIONS)) {
    const bodies = ofSchema(route, (version) => actionBodies(version)[name] as z.ZodType);
    const plans = sensiblePlansFor(route, corpus, { bodies });
    for (let round = 0; round < ACTION_ROUNDS_MAX && !driver.reached.has(`${nameOf(route)} ${name}`); round += 1) {
      await tryRoute(route, plans, { seed: SEED + round, numRuns: SENSIBLE_RUNS });
    }
  }
}

const ORDER = ['POST', 'PUT', 'GET', 'PATCH', 'DELETE'];
function orderOf({ method, path }: Route): number {
  const depth = path.split('/').length;
  return ORDER.indexOf(method) * 100 + (method === 'DELETE' ? -depth : depth);
}

/** The same whichever other routes are tried. */
function seedOf(route: Route, round: number): number {
  return [...nameOf(route)].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) | 0, SEED + round);
}
