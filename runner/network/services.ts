import type { Clock } from '../../shared/clock.ts';
import { findLink, type Link, linksByName } from '../host/links.ts';
import type { SysctlKeeper } from '../host/sysctl.ts';
import { gathered, KeyedQueue } from '../host/wait.ts';
import type { Log } from '../log.ts';
import { ensureBridge } from './bridges.ts';
import { DhcpDaemons } from './dhcp/dhcp-daemons.ts';
import { planDhcp } from './dhcp/plan-dhcp.ts';
import { Firewall } from './firewall/firewall.ts';
import { gatewaysOf } from './gateways.ts';
import { IntranetWatch } from './intranet/intranet-watch.ts';
import type { Inventory } from './inventory.ts';
import { MetadataService } from './metadata/metadata-service.ts';
import type { Names } from './names.ts';
import { planBridge } from './plan-bridge.ts';
import { networksWithLostRoutes } from './routers/lost-routes.ts';
import { ownAddressesOf } from './routers/own-addresses.ts';
import { Routing } from './routers/routing.ts';
import { networksWithLostNeighbors, syncNeighbors } from './segments/neighbors.ts';
import { ensureSegment, isConnected } from './segments/segments.ts';
import type { Uplinks } from './segments/uplinks.ts';
import { rejoinTaps } from './taps.ts';

/** What the drivers of networks, groups and ports share on one machine. */
export class NetworkServices {
  readonly names: Names;
  readonly inventory: Inventory;
  readonly sysctls: SysctlKeeper;
  readonly uplinks: Uplinks;
  readonly firewall: Firewall;
  readonly routing: Routing;
  readonly intranet: IntranetWatch;
  readonly dhcp: DhcpDaemons;
  readonly metadata: MetadataService;
  /** Routing and DHCP of one network change one at a time. */
  readonly #perNetwork = new KeyedQueue();

  constructor(options: {
    names: Names;
    inventory: Inventory;
    sysctls: SysctlKeeper;
    uplinks: Uplinks;
    dhcpFolder: string;
    clock: Clock;
    log: Log;
  }) {
    this.names = options.names;
    this.inventory = options.inventory;
    this.sysctls = options.sysctls;
    this.uplinks = options.uplinks;
    this.firewall = new Firewall(options.names, options.inventory, options.uplinks, options.clock, options.log);
    this.routing = new Routing(options, (networkId) => this.#takeAddresses(networkId));
    this.intranet = new IntranetWatch(this.firewall, options);
    this.dhcp = new DhcpDaemons(options.dhcpFolder);
    this.metadata = new MetadataService(options.inventory, options.log);
  }

  /** Runs something for a network after whatever runs for it already. */
  alone<T>(networkId: string, task: () => Promise<T>): Promise<T> {
    return this.#perNetwork.run(networkId, task);
  }

  /**
   * Makes a network's bridge and connects it to other machines, as the inventory says.
   * @throws DriverError where this machine cannot carry it
   */
  async ensureLinks(networkId: string): Promise<void> {
    await this.alone(networkId, async () => {
      const network = this.inventory.networks.get(networkId);
      if (!network) return;
      await ensureBridge(
        this.names,
        planBridge(this.names, network.spec, network.number, ownAddressesOf(this.inventory, networkId)),
        this.sysctls,
      );
      await ensureSegment(this.names, network.spec, this.uplinks);
    });
    await this.syncNeighbors(networkId);
  }

  /** Makes the machine's own addresses on a network what the inventory says. */
  async #takeAddresses(networkId: string): Promise<void> {
    await this.ensureLinks(networkId);
    await this.syncDhcp(networkId);
  }

  /** Makes the kernel know a network's neighbors as the inventory does. */
  readonly syncNeighbors = this.#gathered((networkId) => syncNeighbors(this.names, this.inventory, networkId));

  /** Makes a network's DHCP say what the inventory says, if it is still there. */
  readonly syncDhcp = this.#gathered(async (networkId) => {
    const network = this.inventory.networks.get(networkId)?.spec;
    if (!network) return;
    const ports = this.inventory.portsOf(networkId).map((port) => port.spec);
    const at = {
      bridge: this.names.bridge(networkId),
      folder: this.dhcp.folderOf(networkId),
      own: gatewaysOf(this.inventory, networkId),
    };
    const plan = planDhcp(network, ports, at);
    await (plan ? this.dhcp.ensure(networkId, plan) : this.dhcp.remove(networkId));
  });

  /** A task of a network that runs alone; what is asked for while it runs goes together. */
  #gathered(task: (networkId: string) => Promise<void>): (networkId: string) => Promise<void> {
    const tasks = new Map<string, () => Promise<void>>();
    return (id) => {
      const own = tasks.get(id) ?? gathered(() => this.alone(id, () => task(id)));
      tasks.set(id, own);
      return own();
    };
  }

  /**
   * Puts rules in force for what was applied before, so that guests that run on are guarded and served from the start.
   * Without a bridge a network waits until it is applied.
   */
  async resume(): Promise<void> {
    const links = await linksByName();
    for (const id of this.inventory.networks.keys()) {
      if (!links.has(this.names.bridge(id))) continue;
      this.firewall.metadataPorts.set(id, await this.metadata.listen(id));
    }
    await this.firewall.sync();
    await this.healRoutes();
    await this.routing.sync();
  }

  /** Gives networks back the routes, rules and addresses that somebody took from the kernel. */
  async healRoutes(): Promise<void> {
    const lost = await networksWithLostRoutes(this.names, this.inventory);
    for (const id of lost) if (await findLink(this.names.bridge(id))) await this.#takeAddresses(id);
  }

  /** Makes anew the bridges and segments that somebody removed, and takes back what was on them, or should be. */
  async healLinks(): Promise<void> {
    const links = await linksByName();
    for (const [id, { spec }] of [...this.inventory.networks]) {
      const isUp = links.get(this.names.bridge(id))?.up;
      if (isUp && (await isConnected(this.names, spec, this.uplinks))) await this.#rejoinTaps(id, links);
      else await this.#remakeLinks(id);
    }
  }

  async #remakeLinks(networkId: string): Promise<void> {
    // Its server of DHCP listens on the bridge that is gone.
    if (!(await findLink(this.names.bridge(networkId)))) await this.dhcp.end(networkId);
    await this.ensureLinks(networkId);
    await this.#rejoinTaps(networkId, await linksByName());
    await this.syncNeighbors(networkId);
    await this.syncDhcp(networkId);
  }

  #rejoinTaps(networkId: string, links: ReadonlyMap<string, Link>): Promise<void> {
    const ports = this.inventory.portsOf(networkId).map((port) => port.spec);
    return rejoinTaps(this, ports, links);
  }

  /** Tells the kernel again of neighbors that somebody took from it. */
  async healNeighbors(): Promise<void> {
    for (const id of await networksWithLostNeighbors(this.names, this.inventory)) await this.syncNeighbors(id);
  }

  /** Starts DHCP servers that ended. */
  async healDhcp(): Promise<void> {
    for (const [id, { spec }] of [...this.inventory.networks]) {
      if (!spec.subnets.some((subnet) => subnet.enable_dhcp) || (await this.dhcp.isRunning(id))) continue;
      if (await findLink(this.names.bridge(id))) await this.syncDhcp(id);
    }
  }
}
