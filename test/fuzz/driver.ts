import { changed, filled } from './bodies.ts';
import { changedTables, type DatabaseWatch } from './digest.ts';
import { malformed } from './faults.ts';
import { eachObject } from './kinds.ts';
import { KnownPaths } from './paths.ts';
import { reduced } from './reduce.ts';
import type { Pick, Plan } from './requests.ts';
import { nameOf, type Route } from './routes.ts';
import { type Answer, NoAnswer, send, type Wire } from './send.ts';
import type { World } from './world.ts';

/** Far more than an answer takes on a loaded machine, but for polls of runners. */
const DEADLINE_MS = 20_000;
const SHOWN_CHARS_MAX = 600;
const REFUSED_CHARS_MAX = 300;
/** Requests that making one finding small may take, and the largest body that is made small. */
const REDUCE_ASKS_MAX = 60;
const REDUCE_CHARS_MAX = 20_000;
/** What anyone may change of the own, whatever the role in a project. */
const OWN_AFFAIRS = /^(keypairs|revocations|users|credentials|trusts?|application_credential|access_rule|trust_)/;
/** What begins something that goes on by itself. */
const IMPORTS = /^\/image\/v2\/(tasks|images\/:id\/import)$/;
const JSON_PATCH = 'application/openstack-images-v2.1-json-patch';

/** What must not be: its kind, and the request and answer that show it. */
export interface Finding {
  key: string;
  shown: string;
}

/** Sends requests to a world and judges what comes of them. */
export class Driver {
  /** The routes, the actions behind one, and the parameters of queries (`GET /x?limit`) that did what was asked. */
  readonly reached = new Set<string>();
  /** Why a route did not do what was asked, when it was last asked sensibly. */
  readonly refusals = new Map<string, string>();
  /** Requests sent. */
  sent = 0;
  readonly #world: World;
  readonly #watch: DatabaseWatch;
  readonly #paths: KnownPaths;
  #unique = 0;

  constructor(world: World, watch: DatabaseWatch, routes: readonly Route[]) {
    this.#world = world;
    this.#watch = watch;
    this.#paths = new KnownPaths(routes);
  }

  /** Asks no more for what is there no more. */
  forget(path: string): void {
    this.#paths.remove(path);
  }

  /** Sends one request. @returns what must not be, with its body made as small as shows it */
  async tryOnce(route: Route, plan: Plan): Promise<Finding | undefined> {
    const wire = this.#wireOf(route, plan);
    if (this.#world.isPrecious(wire.method, wire.path)) return undefined;
    const found = await this.#judge(route, plan, wire);
    const text = wire.body?.toString() ?? '';
    if (!found || text === '' || text.length > REDUCE_CHARS_MAX) return found;
    let body: unknown;
    try {
      body = JSON.parse(text);
    } catch {
      return found;
    }
    let last = found;
    const fails = async (smaller: unknown) => {
      const again = await this.#judge(route, plan, { ...wire, body: Buffer.from(JSON.stringify(smaller)) });
      if (again?.key === found.key) last = again;
      return again?.key === found.key;
    };
    await reduced(body, fails, REDUCE_ASKS_MAX);
    return last;
  }

  #idOf(pick: Pick, { sender }: Plan, method: string): string {
    if (pick.from === 'text') return pick.text;
    // What an admin changes of the other tenant's could make it known by right.
    const other = pick.from === 'other' && (sender !== 'admin' || method === 'GET');
    const { pool } = other ? this.#world.other : this.#world.own;
    return encodeURIComponent(pool.pick(pick.from === 'any' ? '' : pick.kind, pick.at) ?? crypto.randomUUID());
  }

  #fill(kind: string): string {
    if (kind === 'unique') return `u${++this.#unique}`;
    if (kind === 'cidr') return `10.9.${++this.#unique % 256}.0/24`;
    return this.#world.own.pool.pick(kind, 0) ?? crypto.randomUUID();
  }

  #bodyOf({ body }: Plan): Buffer | undefined {
    if (body === undefined) return undefined;
    if ('bytes' in body) return body.bytes;
    return Buffer.from(changed(filled(body.value, this.#fill.bind(this)), body.changes));
  }

  #pathOf({ method, path }: Route, plan: Plan): string {
    const above = plan.known === undefined ? undefined : this.#paths.pick(path, plan.known);
    const parts = path.split('/');
    // A pattern in a segment may have slashes in it, but then it is the last.
    const rest = parts.slice(above?.segments ?? 0).join('/');
    let at = parts.slice(0, above?.segments ?? 0).filter((part) => part.startsWith(':')).length;
    const filledIn = rest
      .replaceAll(/:[^/{]+(\{[^}]+\})?/g, () =>
        this.#idOf(plan.segments[at++] ?? { from: 'text', text: 'x' }, plan, method),
      )
      .replace('*', 'x');
    return above === undefined ? filledIn : [above.known, ...(rest === '' ? [] : [filledIn])].join('/');
  }

  #wireOf(route: Route, plan: Plan): Wire {
    const { method } = route;
    const path = this.#pathOf(route, plan);
    const query = plan.query.map(
      ({ key, value }) => `${encodeURIComponent(key.toWellFormed())}=${this.#idOf(value, plan, method)}`,
    );
    const body = this.#bodyOf(plan);
    const token = this.#world.tokenOf(plan.sender);
    const version = plan.body && 'version' in plan.body ? plan.body.version : undefined;
    const type =
      plan.contentType ?? (route.service === 'image' && method === 'PATCH' ? JSON_PATCH : 'application/json');
    return {
      method,
      path: `${path}${query.length > 0 ? `?${query.join('&')}` : ''}`.replaceAll(/[^\x21-\xff]/g, encodeURIComponent),
      headers: {
        accept: 'application/json',
        ...(body && type !== '' ? { 'content-type': type } : {}),
        ...(token ? { 'x-auth-token': token } : {}),
        ...(filled(plan.headers, this.#fill.bind(this)) as Record<string, string>),
        ...(version === undefined ? {} : { 'openstack-api-version': `compute 2.${version}` }),
      },
      body,
    };
  }

  async #judge(route: Route, plan: Plan, wire: Wire): Promise<Finding | undefined> {
    const watch = this.#watch;
    const { other } = this.#world;
    this.sent += 1;
    const before = watch.now();
    const foreign = plan.sender === 'admin' || route.method === 'GET' ? undefined : watch.ofProject(other.projectId);
    let answer: Answer;
    try {
      answer = await send(this.#world.cloud.url, wire, DEADLINE_MS);
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error;
      return finding(route, plan, wire, error.message);
    }
    this.#learn(route, wire, answer, plan);
    if (answer.status < 300 && IMPORTS.test(route.path)) await this.#world.settled();
    const wrong = this.#wrongWith(route, plan, wire, answer);
    if (wrong) return finding(route, plan, wire, wrong, answer);
    const changes = changedTables(before, watch.now());
    if (changes.length === 0) return undefined;
    const theirs = foreign ? changedTables(foreign, watch.ofProject(other.projectId)) : [];
    const forbidden = forbiddenChange(route, plan, answer, { changes, theirs });
    return forbidden === undefined ? undefined : finding(route, plan, wire, forbidden, answer);
  }

  #wrongWith(route: Route, plan: Plan, wire: Wire, answer: Answer): string | undefined {
    const wrong = malformed(route.service, answer);
    if (wrong) return wrong;
    const tells = plan.sender !== 'admin' && this.#unknownOf(wire, answer).includes(this.#world.secret);
    return tells ? "tells what is another project's" : undefined;
  }

  /** An answer without what its sender knew: a refusal repeats the name that was asked for. */
  #unknownOf({ path }: Wire, { text, headers }: Answer): string {
    const said = `${text}${JSON.stringify(headers)}`;
    const sent = path.split(/[/?&=]/).filter((part) => part.includes(this.#world.secret));
    return sent.reduce((left, part) => left.replaceAll(decodeURIComponent(part), ''), said);
  }

  #learn(route: Route, wire: Wire, { status, text }: Answer, plan: Plan): void {
    const { sender, headers } = plan;
    const authentic = sender !== 'nobody' && !('x-auth-token' in headers);
    const isGone =
      status === 401 && authentic && !/auth\/tokens|ec2tokens|s3tokens|password|FEDERATION.*protocols/.test(route.path);
    if (isGone) this.#world.gone.add(sender === 'admin' ? 'admin' : 'own');
    const action = route.path.endsWith('/action') ? /^\{"([^"]+)"/.exec(wire.body?.toString() ?? '')?.[1] : undefined;
    const names = [nameOf(route), ...(action === undefined ? [] : [`${nameOf(route)} ${action}`])];
    if (status >= 300) {
      const shown = `${plan.sender} ${wire.path} ${wire.body?.toString().slice(0, REFUSED_CHARS_MAX) ?? ''}`;
      const asked = plan.query.length === 0 ? names : plan.query.map(({ key }) => `${nameOf(route)}?${key}`);
      for (const name of asked) this.refusals.set(name, `${status} ${text.slice(0, REFUSED_CHARS_MAX)} ${shown}`);
      return;
    }
    for (const name of names) this.reached.add(name);
    for (const { key } of plan.query) this.reached.add(`${nameOf(route)}?${key}`);
    const [path = ''] = wire.path.split('?');
    if (wire.method === 'DELETE') {
      this.#world.own.pool.remove(path.split('/').at(-1) ?? '');
      this.#paths.remove(path);
      return;
    }
    if (sender !== 'member' && sender !== 'admin') return;
    this.#paths.add(path);
    if (!text.startsWith('{') || (wire.method === 'GET' && sender !== 'member')) return;
    eachObject(JSON.parse(text), wire.path, (kind, { id, name }) => {
      this.#world.own.pool.add(kind, id);
      // Nova names a server's addresses by their network.
      if (kind === 'network' && name) this.#world.own.pool.add('ip', name);
    });
    for (const [, link = ''] of text.matchAll(LINK)) this.#paths.add(link.startsWith('/v2/') ? `/image${link}` : link);
  }
}

/** A path of ours in an answer. */
const LINK = /"(?:https?:\/\/[^/"]+)?(\/[^"?]+)"/g;

function finding({ method, path }: Route, { sender }: Plan, wire: Wire, what: string, answer?: Answer): Finding {
  const body = wire.body?.toString().slice(0, SHOWN_CHARS_MAX) ?? '';
  const said = answer ? `${answer.status} ${answer.text.slice(0, SHOWN_CHARS_MAX)}` : '';
  const { 'x-auth-token': _, ...headers } = wire.headers;
  const key = `${nameOf({ method, path })} ${what}`;
  return {
    key,
    shown: `${key}\n  ${sender}: ${wire.method} ${wire.path} ${JSON.stringify(headers)} ${body}\n  ${said}`,
  };
}

/** Whether what a request changed was not its to change. */
function forbiddenChange(
  { method }: Route,
  { sender }: Plan,
  { status }: Answer,
  { changes, theirs }: { changes: string[]; theirs: string[] },
): string | undefined {
  const low = sender === 'reader' || sender === 'unscoped' || sender === 'nobody';
  const beyond = changes.filter((table) => !OWN_AFFAIRS.test(table));
  if (status >= 400) return `changed ${changes.join()} and was refused`;
  if (method === 'GET') return `changed ${changes.join()}, though it reads`;
  if (low && beyond.length > 0) return `changed ${beyond.join()} as ${sender}`;
  return theirs.length > 0 ? `changed another project's ${theirs.join()}` : undefined;
}
