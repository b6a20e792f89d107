/**
 * What must become of one account and its servers, said as plainly as can be: amounts in micros, times in milliseconds. A
 * server costs 1 micro for each millisecond and point of its flavor's rate, so that nothing is ever rounded.
 */
export const SECOND = 1000;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** The farmer leaves the last seconds alone. */
const SETTLE = 5_000;
const HOLD_AFTER = 2 * HOUR;
const WARN_DAYS = 3;

/** `small` is charged at the start of each hour, `large` at its end. `off`: the weight of a server that is stopped. */
export const FLAVORS = {
  small: { rate: 1, prepaid: true, off: 0.25 },
  large: { rate: 3, prepaid: false, off: 0.5 },
} as const;
export type Flavor = keyof typeof FLAVORS;

export interface Rules {
  mode: 'prepaid' | 'postpaid';
  limit: number;
  graceHours: number | null;
  deleteDays: number | null;
}

interface Server {
  flavor: Flavor;
  state: 'active' | 'stopped';
  /** What the ladder remembers of it: that it starts it again, or that it leaves it alone. */
  ladder: 'stopped' | 'left' | null;
}

/** A time with a flavor: what a subscription is. It may come back. */
interface Subscription {
  id: string;
  flavor: Flavor;
  changes: { atMs: number; weight: number; ended: boolean }[];
  visitedMs: number;
  booked: number;
}

export interface Model {
  nowMs: number;
  rules: Rules;
  /** What the account has; below zero, what it owes. */
  balance: number;
  servers: Map<string, Server>;
  subscriptions: Subscription[];
  /** By server and flavor. */
  holds: Map<string, { micros: number; expiresMs: number }>;
  /** What stops and deletions gave back since it was suspended. */
  givenBack: number;
  exhausted: boolean;
  sinceMs: number;
  suspendedMs: number | null;
  toldMs: number | null;
  emptiedMs: number | null;
  events: string[];
}

export const newModel = (nowMs: number, rules: Rules): Model => ({
  ...{ nowMs, rules, balance: 0, servers: new Map(), subscriptions: [], holds: new Map(), givenBack: 0 },
  ...{ exhausted: false, sinceMs: nowMs, suspendedMs: null, toldMs: null, emptiedMs: null, events: [] },
});

const hourEnd = (ms: number) => (Math.floor(ms / HOUR) + 1) * HOUR;
export const available = (m: Model): number => m.balance + m.rules.limit;
const held = (m: Model, but?: string): number =>
  [...m.holds].reduce((sum, [key, one]) => sum + (key === but || one.expiresMs <= m.nowMs ? 0 : one.micros), 0);
/** What nobody has claimed. */
export const unclaimed = (m: Model): number => available(m) - held(m);

/** Whether members may begin anything. */
const solvent = (m: Model) => m.suspendedMs === null && available(m) > 0;

/** Claims what a flavor costs to the end of the hour, if there is so much. @returns whether there is */
function claim(m: Model, id: string, flavor: Flavor, weight = 1): boolean {
  const key = `${id} ${flavor}`;
  const own = m.holds.get(key);
  const before = own && own.expiresMs > m.nowMs ? own.micros : 0;
  const micros = Math.max(FLAVORS[flavor].rate * weight * (hourEnd(m.nowMs) - m.nowMs), before);
  const left = available(m) - held(m, key);
  if (left < micros || left <= 0) return false;
  m.holds.set(key, { micros, expiresMs: Math.max(own?.expiresMs ?? 0, hourEnd(m.nowMs) + HOLD_AFTER) });
  return true;
}

/** Has the state and flavor of a server count from now on; a weight of null: it has the flavor no more. */
function weigh(m: Model, id: string, flavor: Flavor, weight: number | null): void {
  const of = m.subscriptions.find((one) => one.id === id && one.flavor === flavor);
  const change = { atMs: m.nowMs, weight: weight ?? 0, ended: weight === null };
  if (of) of.changes.push(change);
  else {
    const changes = [change];
    m.subscriptions.push({ id, flavor, changes, visitedMs: m.nowMs - 1, booked: 0 });
  }
}

/** Several at once: all, or none. @returns whether they are made; they cost something once they run */
export function mayCreate(m: Model, ids: readonly string[], flavor: Flavor): boolean {
  const before = new Map(m.holds);
  if (!solvent(m) || !ids.every((id) => claim(m, id, flavor))) {
    m.holds = before;
    return false;
  }
  return true;
}

export function begin(m: Model, id: string, flavor: Flavor): void {
  m.servers.set(id, { flavor, state: 'active', ladder: null });
  weigh(m, id, flavor, 1);
}

/** A server is turned on, or off. */
export function turn(m: Model, id: string, to: Server['state']): void {
  const server = m.servers.get(id) as Server;
  server.state = to;
  weigh(m, id, server.flavor, to === 'active' ? 1 : FLAVORS[server.flavor].off);
}

/** @returns whether a member may start it: then it has claimed by how much it is dearer */
export function mayStart(m: Model, id: string): boolean {
  const { flavor } = m.servers.get(id) as Server;
  return solvent(m) && claim(m, id, flavor, 1 - FLAVORS[flavor].off);
}

/** Of a server that runs. @returns whether it has the other flavor */
export function resize(m: Model, id: string, to: Flavor): boolean {
  const server = m.servers.get(id) as Server;
  const dearer = FLAVORS[to].rate > FLAVORS[server.flavor].rate;
  if (!solvent(m) || (dearer && !claim(m, id, to))) return false;
  weigh(m, id, server.flavor, null);
  server.flavor = to;
  weigh(m, id, to, 1);
  return true;
}

export function remove(m: Model, id: string): void {
  weigh(m, id, (m.servers.get(id) as Server).flavor, null);
  m.servers.delete(id);
}

/** Milliseconds by their weight that a subscription has come to at a moment, by what is known then. */
function usedAt(of: Subscription, atMs: number): number {
  const known = of.changes.filter((one) => one.atMs <= atMs);
  const past = known.reduce((sum, { atMs: from, weight }, at) => {
    return sum + weight * ((known[at + 1]?.atMs ?? atMs) - from);
  }, 0);
  const ahead = FLAVORS[of.flavor].prepaid ? (known.at(-1)?.weight ?? 0) * (hourEnd(atMs) - atMs) : 0;
  return past + ahead;
}

/** The moments at which a subscription is charged: hours, and what changes it or, where it is paid afterwards, ends it. */
function momentsOf(of: Subscription, untilMs: number): number[] {
  const hours = [];
  for (let at = hourEnd(of.visitedMs); at <= untilMs; at += HOUR) hours.push(at);
  const changes = of.changes.filter(({ ended }) => FLAVORS[of.flavor].prepaid || ended);
  const all = new Set([...hours, ...changes.map(({ atMs }) => atMs)]);
  return [...all].filter((at) => at > of.visitedMs && at <= untilMs).sort((a, b) => a - b);
}

function farm(m: Model): void {
  for (const of of m.subscriptions) {
    for (const at of momentsOf(of, m.nowMs - SETTLE)) {
      const used = usedAt(of, at);
      const micros = FLAVORS[of.flavor].rate * (used - of.booked);
      const last = of.changes.at(-1);
      if (micros !== 0 || (last?.ended && last.atMs <= at)) m.holds.delete(`${of.id} ${of.flavor}`);
      m.balance -= micros;
      if (micros < 0 && m.suspendedMs !== null) m.givenBack -= micros;
      of.booked = used;
      of.visitedMs = at;
    }
  }
  const exhausted = available(m) <= 0;
  if (exhausted !== m.exhausted) {
    m.events.push(exhausted ? 'billing.balance.exhausted' : 'billing.balance.restored');
    m.exhausted = exhausted;
    m.sinceMs = m.nowMs;
  }
}

function step(m: Model): void {
  const { graceHours, deleteDays } = m.rules;
  const unpaid = () => available(m) - m.givenBack <= 0;
  if (m.suspendedMs !== null && (graceHours === null || !unpaid())) {
    m.events.push('billing.account.resumed');
    Object.assign(m, { suspendedMs: null, toldMs: null, emptiedMs: null });
  }
  const graceOver = graceHours !== null && m.sinceMs + graceHours * HOUR <= m.nowMs;
  if (m.suspendedMs === null && m.exhausted && available(m) <= 0 && graceOver) {
    m.events.push('billing.account.suspended');
    Object.assign(m, { suspendedMs: m.nowMs, givenBack: 0 });
  }
  if (m.suspendedMs === null || deleteDays === null) return;
  if (m.toldMs === null && m.suspendedMs + (deleteDays - WARN_DAYS) * DAY <= m.nowMs) {
    m.events.push('billing.account.deletion_due');
    m.toldMs = m.nowMs;
  }
  if (deletionDue(m) && m.emptiedMs === null && m.servers.size === 0) {
    m.events.push('billing.account.emptied');
    m.emptiedMs = m.nowMs;
  }
}

function deletionDue(m: Model): boolean {
  const { deleteDays } = m.rules;
  if (m.suspendedMs === null || m.toldMs === null || m.emptiedMs !== null || deleteDays === null) return false;
  const at = Math.max(m.suspendedMs + deleteDays * DAY, m.toldMs + Math.min(WARN_DAYS, deleteDays) * DAY);
  return at <= m.nowMs && available(m) - m.givenBack <= 0;
}

/** A round of a region, and machines that do a second later what they are told. */
export function round(m: Model): void {
  farm(m);
  for (const [key, { expiresMs }] of m.holds) if (expiresMs <= m.nowMs) m.holds.delete(key);
  step(m);
  const suspended = m.suspendedMs !== null;
  const turned = [...m.servers].flatMap(([id, server]) => turnedBy(server, suspended).map((to) => [id, to] as const));
  const removed = deletionDue(m) ? [...m.servers.keys()] : [];
  m.nowMs += SECOND;
  for (const [id, to] of turned) turn(m, id, to);
  for (const id of removed) remove(m, id);
}

/** What the ladder does with a server, and what it remembers. */
function turnedBy(server: Server, suspended: boolean): Server['state'][] {
  const { state, ladder } = server;
  if (suspended && state === 'active' && ladder === null) {
    server.ladder = 'stopped';
    return ['stopped'];
  }
  if (state === 'active' && ladder === 'stopped') server.ladder = 'left';
  if (suspended) return [];
  server.ladder = null;
  return state === 'stopped' && ladder === 'stopped' ? ['active'] : [];
}
