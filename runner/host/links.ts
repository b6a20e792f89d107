import { CommandError, run } from './run.ts';

/** An interface of this network namespace. */
export interface Link {
  name: string;
  alias: string | null;
  mac: string;
  mtu: number;
  /** The bridge it belongs to. */
  master: string | null;
  up: boolean;
}

interface LinkJson {
  ifname: string;
  ifalias?: string;
  address?: string;
  mtu: number;
  master?: string;
  flags: string[];
}

/** All interfaces. */
export const listLinks = (): Promise<Link[]> => linksOf([]);

/** The same, by name. */
export const linksByName = async (): Promise<Map<string, Link>> =>
  new Map((await listLinks()).map((link) => [link.name, link]));

/** What an interface has received and sent since it was made. */
export interface LinkCounters {
  name: string;
  /** Given to no other interface of this namespace until the machine boots. */
  index: number;
  received: { bytes: number; packets: number };
  sent: { bytes: number; packets: number };
}

/** The counters of all interfaces, or of one. */
export async function listLinkCounters(name?: string): Promise<LinkCounters[]> {
  type Json = { ifname: string; ifindex: number; stats64?: { rx: Moved; tx: Moved } };
  type Moved = { bytes: number; packets: number };
  const { stdout } = await run('ip', ['-j', '-s', 'link', 'show', ...(name === undefined ? [] : ['dev', name])]);
  return (JSON.parse(stdout || '[]') as Json[]).flatMap(({ ifname, ifindex, stats64 }) => {
    if (!stats64) return [];
    const { rx, tx } = stats64;
    const moved = ({ bytes, packets }: Moved) => ({ bytes, packets });
    return [{ name: ifname, index: ifindex, received: moved(rx), sent: moved(tx) }];
  });
}

/** One interface, which costs less than listing thousands; null where there is none. */
export async function findLink(name: string): Promise<Link | null> {
  const [link] = await linksOf(['dev', name]).catch(noneIfMissing);
  return link ?? null;
}

/** The interfaces that belong to a bridge; none where there is no such bridge. */
export const listMembers = (bridge: string): Promise<Link[]> => linksOf(['master', bridge]).catch(noneIfMissing);

function noneIfMissing(error: unknown): Link[] {
  if (error instanceof CommandError && /does not exist/.test(error.output)) return [];
  throw error;
}

async function linksOf(which: string[]): Promise<Link[]> {
  const { stdout } = await run('ip', ['-j', 'link', 'show', ...which]);
  return (JSON.parse(stdout || '[]') as LinkJson[]).map((link) => ({
    name: link.ifname,
    alias: link.ifalias ?? null,
    mac: link.address ?? '',
    mtu: link.mtu,
    master: link.master ?? null,
    up: link.flags.includes('UP'),
  }));
}

export interface Address {
  address: string;
  prefixLength: number;
}

/** Addresses of an interface, but those of link scope that the kernel gives by itself. */
export async function listAddresses(link: string): Promise<Address[]> {
  return [...(await addressesOf(['dev', link])).values()].flat();
}

/** The same of all interfaces, by name. */
export const listAllAddresses = (): Promise<Map<string, Address[]>> => addressesOf([]);

async function addressesOf(which: string[]): Promise<Map<string, Address[]>> {
  const { stdout } = await run('ip', ['-j', 'addr', 'show', ...which]);
  type LinkJson = { ifname: string; addr_info?: { local: string; prefixlen: number; scope: string }[] };
  return new Map(
    (JSON.parse(stdout || '[]') as LinkJson[]).map(({ ifname, addr_info = [] }) => [
      ifname,
      addr_info
        .filter((info) => !(info.local.startsWith('fe80:') && info.scope === 'link'))
        .map((info) => ({ address: info.local, prefixLength: info.prefixlen })),
    ]),
  );
}

/** What carries frames of an interface that stands on another one, or null for any other interface. */
export interface Encapsulation {
  kind: string;
  /** The VXLAN or 802.1Q id. */
  id: number | null;
  /** A VXLAN's own end. */
  local: string | null;
  /** The interface it stands on. */
  parent: string | null;
}

/** How an interface is carried; null where there is no such interface. */
export async function encapsulationOf(link: string): Promise<Encapsulation | null> {
  const found = await run('ip', ['-j', '-d', 'link', 'show', 'dev', link]).catch(() => null);
  type Json = { link?: string; linkinfo?: { info_kind?: string; info_data?: Record<string, unknown> } };
  const [json] = JSON.parse(found?.stdout || '[]') as Json[];
  if (!json) return null;
  const { info_kind = '', info_data = {} } = json.linkinfo ?? {};
  const local = info_data.local ?? info_data.local6;
  return {
    kind: info_kind,
    id: typeof info_data.id === 'number' ? info_data.id : null,
    local: typeof local === 'string' ? local : null,
    parent: json.link ?? null,
  };
}

/** Whether this kernel makes interfaces of 802.1Q ids. */
export async function hasVlans(probe: string): Promise<boolean> {
  try {
    await run('ip', ['link', 'add', 'link', 'lo', 'name', probe, 'type', 'vlan', 'id', '1']);
    await ipBatch([['link', 'delete', probe]]);
    return true;
  } catch (error) {
    // A kernel that knows them says that lo has none.
    return error instanceof CommandError && !/unknown device type/i.test(error.output);
  }
}

/** Whether the machine itself lives on an interface: it has addresses there, or its way to the world. */
export async function isMachinesOwn(link: string): Promise<boolean> {
  if ((await listAddresses(link)).length > 0) return true;
  const ways = ([4, 6] as const).map((family) => run('ip', [`-${family}`, 'route', 'show', 'default', 'dev', link]));
  return (await Promise.all(ways)).some(({ stdout }) => stdout.trim() !== '');
}

/** Where frames for a MAC address leave a bridge through one of its interfaces, and to which machine. */
export interface ForwardingEntry {
  mac: string;
  /** The other end of a tunnel; null for the bridge's own entry. */
  dst: string | null;
}

/** Entries that were put on an interface: the bridge's, and those of a tunnel itself. */
export async function listForwarding(link: string): Promise<ForwardingEntry[]> {
  return (await forwardingOf(['dev', link])).map(({ entry }) => entry);
}

/** The same of all interfaces, by name. */
export async function listAllForwarding(): Promise<Map<string, ForwardingEntry[]>> {
  return byLink((await forwardingOf([])).map(({ link, entry }) => [link, entry]));
}

type ForwardingAt = { link: string; entry: ForwardingEntry };

async function forwardingOf(which: string[]): Promise<ForwardingAt[]> {
  const { stdout } = await run('bridge', ['-j', 'fdb', 'show', ...which]);
  type Json = { mac: string; ifname?: string; dst?: string; master?: string; state?: string };
  return (JSON.parse(stdout || '[]') as Json[]).flatMap(
    ({ mac, ifname: link = '', dst, master, state }): ForwardingAt[] => {
      if (dst !== undefined) return [{ link, entry: { mac, dst } }];
      return master !== undefined && state === 'static' ? [{ link, entry: { mac, dst: null } }] : [];
    },
  );
}

function byLink<T>(entries: [link: string, entry: T][]): Map<string, T[]> {
  const map = new Map<string, T[]>();
  for (const [link, entry] of entries) map.set(link, [...(map.get(link) ?? []), entry]);
  return map;
}

/** Addresses whose MAC addresses were put on an interface for good. */
export async function listPermanentNeighbors(link: string): Promise<{ address: string; mac: string }[]> {
  return (await permanentNeighborsOf(['dev', link])).map(({ entry }) => entry);
}

/** The same of all interfaces, by name. */
export async function listAllPermanentNeighbors(): Promise<Map<string, { address: string; mac: string }[]>> {
  return byLink((await permanentNeighborsOf([])).map(({ link, entry }) => [link, entry]));
}

async function permanentNeighborsOf(which: string[]) {
  const { stdout } = await run('ip', ['-j', 'neigh', 'show', ...which, 'nud', 'permanent']);
  return (JSON.parse(stdout || '[]') as { dst: string; dev?: string; lladdr?: string }[]).map(
    ({ dst, dev = '', lladdr = '' }) => ({ link: dev, entry: { address: dst, mac: lladdr } }),
  );
}

export interface Rule {
  priority: number;
  /** A number, or a name such as `main`. */
  table: string;
  /** What it selects by, as `ip rule add` takes it, e.g. `fwmark 0x80010001` or `oif br0`. */
  selector: string;
}

/** Routing rules of a family that select by mark or interface. */
export async function listRules(family: 4 | 6): Promise<Rule[]> {
  const { stdout } = await run('ip', ['-j', `-${family}`, 'rule', 'show']);
  type RuleJson = { priority: number; table?: string; fwmark?: string; oif?: string; iif?: string };
  return (JSON.parse(stdout || '[]') as RuleJson[]).map((rule) => {
    const selectors = (['fwmark', 'oif', 'iif'] as const).flatMap((key) => (rule[key] ? [`${key} ${rule[key]}`] : []));
    return { priority: rule.priority, table: rule.table ?? '', selector: selectors.join(' ') };
  });
}

/** Routes of a table, as `prefix` and `dev`; none where the table does not exist. */
export async function listRoutes(family: 4 | 6, table: number): Promise<{ prefix: string; dev: string }[]> {
  const { stdout } = await run('ip', ['-j', `-${family}`, 'route', 'show', 'table', String(table)]).catch(() => ({
    stdout: '',
  }));
  return (JSON.parse(stdout || '[]') as { dst: string; dev?: string }[]).map((route) => ({
    prefix: route.dst,
    dev: route.dev ?? '',
  }));
}

/** What the kernel takes as its own, by type as `local` and `broadcast`, of all interfaces. */
export async function listLocalRoutes(family: 4 | 6): Promise<{ type: string; prefix: string; dev: string }[]> {
  const { stdout } = await run('ip', ['-j', `-${family}`, 'route', 'show', 'table', 'local']);
  type RouteJson = { type: string; dst: string; dev?: string };
  return (JSON.parse(stdout || '[]') as RouteJson[]).map(({ type, dst, dev = '' }) => ({ type, prefix: dst, dev }));
}

/** A route as the kernel has it; without a device there is no way. */
export interface KernelRoute {
  table: number;
  /** A range, an address, or `default`. */
  prefix: string;
  via: string | null;
  dev: string | null;
  /** Whether it is an address of the machine itself. */
  local: boolean;
}

/** Routes of all tables that have a number and no name. */
export async function listNumberedRoutes(family: 4 | 6): Promise<KernelRoute[]> {
  const { stdout } = await run('ip', ['-j', `-${family}`, 'route', 'show', 'table', 'all']);
  type RouteJson = { dst: string; table?: string; gateway?: string; dev?: string; type?: string };
  return (JSON.parse(stdout || '[]') as RouteJson[])
    .filter((route) => /^[0-9]+$/.test(route.table ?? ''))
    .map((route) => ({
      table: Number(route.table),
      prefix: route.dst,
      via: route.gateway ?? null,
      dev: route.type === 'unreachable' ? null : (route.dev ?? null),
      local: route.type === 'local',
    }));
}

/**
 * Runs `ip` commands in one process, in order; each is an array of arguments without blanks.
 * @throws CommandError at the first that fails; those before it are done
 */
export async function ipBatch(commands: readonly (readonly string[])[], family?: 4 | 6): Promise<void> {
  if (commands.length === 0) return;
  await run('ip', [...(family ? [`-${family}`] : []), '-batch', '-'], { input: batchText(commands) });
}

/** Runs `bridge` commands in one process, like `ipBatch`. */
export async function bridgeBatch(commands: readonly (readonly string[])[]): Promise<void> {
  if (commands.length === 0) return;
  await run('bridge', ['-batch', '-'], { input: batchText(commands) });
}

function batchText(commands: readonly (readonly string[])[]): string {
  for (const word of commands.flat()) {
    if (!/^[^\s"'\\#]+$/.test(word)) throw new Error(`not a plain argument: ${JSON.stringify(word)}`);
  }
  return commands.map((command) => `${command.join(' ')}\n`).join('');
}

/** The address that this machine's default route leaves from; null without one. IPv4 where there is a choice. */
export async function addressOfDefaultRoute(): Promise<string | null> {
  for (const target of ['192.0.2.1', '2001:db8::1']) {
    const found = await run('ip', ['-j', 'route', 'get', target]).catch(() => null);
    const [route] = JSON.parse(found?.stdout || '[]') as { prefsrc?: string }[];
    if (route?.prefsrc) return route.prefsrc;
  }
  return null;
}
