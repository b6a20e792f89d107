import { type Address, findLink, ipBatch, listAddresses, listLinks, listRoutes, listRules } from '../host/links.ts';
import { run } from '../host/run.ts';
import { readSysctl, type SysctlKeeper, writeSysctl } from '../host/sysctl.ts';
import { versionOf } from './addresses.ts';
import { withdrawLocalRoutes } from './local-routes.ts';
import type { Names } from './names.ts';
import type { BridgePlan } from './plan-bridge.ts';

/** Priorities of our routing rules: before the main table at 32766. */
const BY_MARK_PRIORITY = 21_000;
const BY_INTERFACE_PRIORITY = 21_001;
const OWN_TRAFFIC_PRIORITY = 21_002;
/** After those of what routers add: questions for hardware addresses carry no network's mark. */
const BY_SENDER_PRIORITY = 21_004;

/** Settings of a bridge; they go with it. */
const BRIDGE_SETTINGS: [name: string, value: string][] = [
  ['ipv4/conf/*/rp_filter', '0'],
  // Where the whole machine is strict, the way back is looked up by mark too.
  ['ipv4/conf/*/src_valid_mark', '1'],
  ['ipv4/conf/*/send_redirects', '0'],
  // Answer for the addresses of this bridge only: other tenants' gateways are addresses of this machine too.
  ['ipv4/conf/*/arp_ignore', '1'],
  ['ipv4/conf/*/arp_announce', '2'],
  ['ipv6/conf/*/accept_ra', '0'],
];

/** Settings of the machine that guests' networks need, with what each is for. */
const MACHINE_SETTINGS: [name: string, value: string][] = [
  ['net/ipv4/ip_forward', '1'],
  // Frames between guests pass the rules.
  ['net/bridge/bridge-nf-call-iptables', '1'],
  ['net/bridge/bridge-nf-call-ip6tables', '1'],
  // Each address is answered for where it is: not tenants' gateways, nor addresses of the world, on the machine's own cable.
  ['net/ipv4/conf/all/arp_ignore', '1'],
  ['net/ipv4/conf/all/arp_announce', '2'],
  // Answers to guests take the route of the question, by its mark.
  ['net/ipv4/tcp_fwmark_accept', '1'],
  ['net/ipv4/fwmark_reflect', '1'],
];

/** Prepares the machine for networks. @throws when the kernel cannot filter bridged frames */
export async function prepareForwarding(names: Names, sysctls: SysctlKeeper): Promise<void> {
  if ((await readSysctl('net/bridge/bridge-nf-call-iptables')) === null) await run('modprobe', ['br_netfilter']);
  for (const [name, value] of MACHINE_SETTINGS) await sysctls.set(name, value);
  await ensureRules(4, [[OWN_TRAFFIC_PRIORITY, 'iif lo', names.routingTable(0)]]);
}

/** Makes a network's bridge as planned, or changes what differs. */
export async function ensureBridge(names: Names, plan: BridgePlan, sysctls: SysctlKeeper): Promise<void> {
  const link = await findLink(plan.name);
  const commands: string[][] = [];
  if (!link) {
    const bridge = ['link', 'add', plan.name, 'type', 'bridge', 'stp_state', '0', 'forward_delay', '0'];
    commands.push([...bridge, 'mcast_snooping', '0'], ['link', 'set', plan.name, 'alias', plan.alias]);
  }
  if (plan.mac && link?.mac !== plan.mac) commands.push(['link', 'set', plan.name, 'address', plan.mac]);
  if (link?.mtu !== plan.mtu) commands.push(['link', 'set', plan.name, 'mtu', String(plan.mtu)]);
  await ipBatch(commands);
  for (const [name, value] of BRIDGE_SETTINGS) {
    const path = `net/${name.replace('*', plan.name)}`;
    if (!((await readSysctl(path)) ?? value).match(`^${value}$`)) await writeSysctl(path, value);
  }
  await ipBatch([...(await addressChanges(plan)), ...(link?.up ? [] : [['link', 'set', plan.name, 'up']])]);
  if (plan.local.length > 0) await withdrawLocalRoutes(new Set([plan.name]));
  await ensureRoutes(names, plan);
  if (plan.routes.some((route) => route.version === 6)) await forwardIpv6(sysctls);
}

/** Removes a network's bridge and its routing; what is not there is fine. */
export async function removeBridge(bridge: string, table: number | null): Promise<void> {
  if (await findLink(bridge)) await ipBatch([['link', 'delete', bridge]]);
  for (const family of [4, 6] as const) {
    const rules = (await listRules(family)).filter(
      (rule) =>
        [`oif ${bridge}`, `iif ${bridge}`].includes(rule.selector) || (table !== null && rule.table === String(table)),
    );
    await ipBatch(
      rules.map((rule) => ruleCommand('del', rule.priority, rule.selector, rule.table)),
      family,
    );
  }
}

/** Removes every routing rule of a runner. */
export async function removeRules(names: Names): Promise<void> {
  for (const family of [4, 6] as const) {
    const rules = (await listRules(family)).filter((rule) => names.ownsTable(Number(rule.table)));
    await ipBatch(
      rules.map((rule) => ruleCommand('del', rule.priority, rule.selector, rule.table)),
      family,
    );
  }
}

async function addressChanges(plan: BridgePlan): Promise<string[][]> {
  const there = (await listAddresses(plan.name)).map(addressText);
  const wanted = plan.addresses.map(addressText);
  const added = plan.addresses.filter((address) => !there.includes(addressText(address)));
  return [
    ...there.filter((text) => !wanted.includes(text)).map((text) => ['addr', 'del', text, 'dev', plan.name]),
    // Without its route in the main table, which networks with the same addresses would share.
    ...added.map((address) => [
      ...['addr', 'add', addressText(address), 'dev', plan.name, 'noprefixroute'],
      ...(address.address.includes(':') ? ['nodad'] : []),
      ...(address.scope ? ['scope', address.scope] : []),
    ]),
  ];
}

const addressText = (address: Address) => `${address.address}/${address.prefixLength}`;

async function ensureRoutes(names: Names, plan: BridgePlan): Promise<void> {
  for (const family of [4, 6] as const) {
    const locals = plan.local
      .filter((address) => versionOf(address) === family)
      .map((cidr) => ({ cidr, type: ['local'], source: null }));
    // Addresses first: routes name them as senders.
    const routes = [
      ...locals,
      ...plan.routes.filter((route) => route.version === family).map((route) => ({ ...route, type: [] })),
    ];
    const there = await listRoutes(family, plan.table);
    const stale = there.filter((one) => !routes.some((route) => route.cidr === one.prefix));
    const ownTable = names.routingTable(0);
    const own = plan.hostAccess ? routes : [];
    const staleOwn = (await listRoutes(family, ownTable)).filter(
      (one) => one.dev === plan.name && !own.some((route) => route.cidr === one.prefix),
    );
    const to = (route: (typeof routes)[number], table: number) => {
      const source = route.source ? ['src', route.source] : [];
      return ['route', 'replace', ...route.type, route.cidr, 'dev', plan.name, ...source, 'table', String(table)];
    };
    const commands = [
      ...stale.map((one) => ['route', 'del', one.prefix, 'table', String(plan.table)]),
      ...staleOwn.map((one) => ['route', 'del', one.prefix, 'dev', plan.name, 'table', String(ownTable)]),
      ...routes.map((route) => to(route, plan.table)),
      ...own.map((route) => [...to(route, ownTable), 'metric', String(plan.metric)]),
    ];
    await ipBatch(commands, family);
    if (family === 6 && routes.length === 0) continue;
    await ensureRules(family, [
      [BY_MARK_PRIORITY, `fwmark ${plan.mark}`, plan.table],
      [BY_INTERFACE_PRIORITY, `oif ${plan.name}`, plan.table],
      [OWN_TRAFFIC_PRIORITY, 'iif lo', names.routingTable(0)],
      ...(family === 4 ? [[BY_SENDER_PRIORITY, `iif ${plan.name}`, plan.table] as const] : []),
    ]);
  }
}

async function ensureRules(
  family: 4 | 6,
  rules: (readonly [priority: number, selector: string, table: number])[],
): Promise<void> {
  const there = await listRules(family);
  const missing = rules.filter(
    ([priority, selector, table]) =>
      !there.some((rule) => rule.priority === priority && rule.selector === selector && rule.table === String(table)),
  );
  await ipBatch(
    missing.map(([priority, selector, table]) => ruleCommand('add', priority, selector, table)),
    family,
  );
}

function ruleCommand(verb: 'add' | 'del', priority: number, selector: string, table: number | string): string[] {
  const words = selector.split(' ').filter((word) => word !== '');
  return ['rule', verb, 'pref', String(priority), ...words, 'table', String(table)];
}

/** A machine that forwards IPv6 stops listening to routers, unless told to go on: it would lose its own default route. */
async function forwardIpv6(sysctls: SysctlKeeper): Promise<void> {
  if ((await readSysctl('net/ipv6/conf/all/forwarding')) === '1') return;
  for (const link of await listLinks()) {
    const name = `net/ipv6/conf/${link.name}/accept_ra`;
    if ((await readSysctl(name)) === '1') await sysctls.set(name, '2');
  }
  await sysctls.set('net/ipv6/conf/all/forwarding', '1');
}
