import { announceAddresses } from '../../host/arp.ts';
import { forgetConnections } from '../../host/conntrack.ts';
import { ipBatch, linksByName, listAllAddresses, listNumberedRoutes, listRules } from '../../host/links.ts';
import { gathered } from '../../host/wait.ts';
import { errorText, type Log } from '../../log.ts';
import type { Inventory } from '../inventory.ts';
import { withdrawLocalRoutes } from '../local-routes.ts';
import type { Names } from '../names.ts';
import { floatingIpsOf, portForwardingsOf } from './floating.ts';
import { ownAddressesOf } from './own-addresses.ts';
import { planRoutes, type Route } from './plan-routes.ts';

/** After the rules of the networks' own tables, before the main table. */
const BEYOND_PRIORITY = 21_003;

interface Options {
  names: Names;
  inventory: Inventory;
  log: Log;
}

/** Keeps routes, routing rules and the machine's own addresses on networks what the inventory makes of them. */
export class Routing {
  readonly #options: Options;
  readonly #takeAddresses: (networkId: string) => Promise<void>;
  /** Who had each translated address, as `outer inner ...`; null until it was looked at. */
  #translated: Map<string, string> | null = null;

  /** Resolves when all is as was planned after this call. @throws CommandError */
  readonly sync = gathered(() => this.#change());

  /** @param takeAddresses - makes the machine's own addresses on a network what the inventory says */
  constructor(options: Options, takeAddresses: (networkId: string) => Promise<void>) {
    this.#options = options;
    this.#takeAddresses = takeAddresses;
  }

  async #change(): Promise<void> {
    await this.#ensureAddresses();
    await withdrawLocalRoutes(this.#tenantBridges());
    for (const family of [4, 6] as const) await this.#ensureRoutes(family);
    await this.#endOldConnections();
  }

  #tenantBridges(): Set<string> {
    const { names, inventory } = this.#options;
    const inner = [...inventory.networks.values()].filter(({ spec }) => !spec.external);
    return new Set(inner.map(({ spec }) => names.bridge(spec.id)));
  }

  async #ensureAddresses(): Promise<void> {
    const { names, inventory, log } = this.#options;
    const links = await listAllAddresses();
    for (const id of [...inventory.networks.keys()]) {
      const bridge = names.bridge(id);
      const there = links.get(bridge)?.map(({ address }) => address);
      if (!there) continue;
      const own = ownAddressesOf(inventory, id);
      const missing = own.filter(({ address }) => !there.includes(address));
      // Its own, and that of the metadata service.
      if (missing.length === 0 && there.length === own.length + 1) continue;
      await this.#takeAddresses(id);
      const announced = missing.filter((one) => one.subnet_id === null).map(({ address }) => address);
      await announceAddresses(bridge, announced).catch((error: unknown) =>
        log.warn('address-not-announced', { bridge, error: errorText(error) }),
      );
    }
  }

  async #ensureRoutes(family: 4 | 6): Promise<void> {
    const { names, inventory } = this.#options;
    const links = await linksByName();
    const wanted = planRoutes(names, inventory).filter(
      (route) => route.version === family && (route.dev === null || links.has(route.dev)),
    );
    const text = (route: Omit<Route, 'version'>) =>
      `${route.table} ${route.prefix} ${route.via} ${route.dev} ${route.local}`;
    const there = (await listNumberedRoutes(family)).filter((route) => names.ownsRouterTable(route.table));
    const known = new Set(there.map(text));
    const kept = new Set(wanted.map((route) => `${route.table} ${route.prefix}`));
    const wantedMarks = new Map(
      [...inventory.networks.values()].map(({ number }) => [names.networkMark(number), names.routerTable(number)]),
    );
    const rules = (await listRules(family)).filter((rule) => names.ownsRouterTable(Number(rule.table)));
    const isWanted = (rule: (typeof rules)[number]) =>
      [...wantedMarks].some(([mark, table]) => rule.selector === `fwmark ${mark}` && rule.table === String(table));
    const missing = [...wantedMarks].filter(
      ([mark, table]) => !rules.some((rule) => rule.selector === `fwmark ${mark}` && rule.table === String(table)),
    );
    const rule = (verb: string, selector: string, table: number | string) => {
      return ['rule', verb, 'pref', String(BEYOND_PRIORITY), ...selector.split(' '), 'table', String(table)];
    };
    await ipBatch(
      [
        ...wanted.filter((route) => !known.has(text(route))).map(addCommand),
        ...there.filter((route) => !kept.has(`${route.table} ${route.prefix}`)).map(removeCommand),
        ...missing.map(([mark, table]) => rule('add', `fwmark ${mark}`, table)),
        ...rules.filter((one) => !isWanted(one)).map((one) => rule('del', one.selector, one.table)),
      ],
      family,
    );
  }

  /** Connections through an address that is somebody else's now, or nobody's. */
  async #endOldConnections(): Promise<void> {
    const { inventory } = this.#options;
    const now = new Map<string, string>();
    const add = (address: string, whose: string) => now.set(address, `${now.get(address) ?? ''} ${whose}`);
    for (const one of floatingIpsOf(inventory)) {
      add(one.floating_ip_address, `${one.network_id} ${one.fixed_ip_address}`);
    }
    for (const one of portForwardingsOf(inventory)) {
      add(one.floating_ip_address, `${one.id} ${one.internal_ip_address} ${one.external_ports} ${one.internal_ports}`);
    }
    const before = this.#translated ?? now;
    for (const [address, whose] of before) if (now.get(address) !== whose) await forgetConnections(address);
    this.#translated = now;
  }
}

const addCommand = ({ table, prefix, via, dev, local }: Omit<Route, 'version'>): string[] =>
  dev === null
    ? ['route', 'replace', 'unreachable', prefix, 'table', String(table)]
    : [
        'route',
        'replace',
        ...(local ? ['local'] : []),
        prefix,
        ...(via ? ['via', via] : []),
        'dev',
        dev,
        ...(via ? ['onlink'] : []),
        'table',
        String(table),
      ];

const removeCommand = ({ table, prefix, dev }: Omit<Route, 'version'>): string[] => [
  'route',
  'del',
  ...(dev === null ? ['unreachable'] : []),
  prefix,
  'table',
  String(table),
];
