import { join } from 'node:path';
import type { Kind, SpecOf } from '../../shared/specs/kinds.ts';
import type { NeighborSpec, NetworkSpec, PortSpec } from '../../shared/specs/network.ts';
import { MachineInNamespace, type ServeOptions, teardownIn } from './machine-in-namespace.ts';
import { configure, fakeGuest, Namespace, plugIn, temporaryFolder } from './namespaces.ts';
import { portOf } from './specs.ts';

/** The outside's own address: the machines' way to the world, and a host of it on port 80, whose word is `world`. */
export const WORLD = '203.0.113.1';
const MTU_OF_CABLES = 1500;

/** One machine: a namespace, the runner's drivers in it, and its place on the cables. */
export interface Host {
  namespace: Namespace;
  machine: MachineInNamespace;
  options: ServeOptions;
  /** Its address on the underlay, where VXLAN packets for it go. */
  tunnelIp: string;
  /** Its own address on the outside, through which its default route goes. */
  address: string;
}

/** A guest that is a namespace: its eth0 is the port's tap, with the port's first address and a default route. */
export interface CheapGuest {
  host: Host;
  port: PortSpec;
  on: NetworkSpec;
  namespace: Namespace;
  address: string;
}

/**
 * Machines in namespaces, numbered from 0 as `hosts`, each with these cables:
 * - `ul0`, 192.0.2.N+1: the underlay of tunnels. Its bridge is `cable` in the namespace `underlay`; listen there with tcpdump.
 * - `ph0`, without an address: the physical network `cables`. Its bridge is `cable` in the namespace `cables`.
 * - `ext0`, without an address: the physical network `public`, and `up0`, 203.0.113.10+N: the machine's own address and
 *   default route. Both are on the bridge `cable` in the namespace `outside`, which is 203.0.113.1 and serves `world` on port 80.
 *
 * `applyEverywhere` gives an object to all machines. `guest` makes a port on one of them with a namespace behind it, and
 * tells the others of it as the edge would where the network is a VXLAN; `moveGuest` and `removeGuest` do likewise.
 * @example
 * const joined = await JoinedHosts.open('aemine', 2);
 * const net = networkOf('10.1.0.0/24', { segment: { type: 'vxlan', id: 5 } });
 * await joined.applyEverywhere('network', net.id, net);
 * const [a, b] = [await joined.guest(0, net, 11, [group.id]), await joined.guest(1, net, 12, [group.id])];
 * await a.namespace.sh(`ping -c1 ${b.address}`);
 * await joined.close();
 */
export class JoinedHosts {
  readonly hosts: Host[] = [];
  readonly guests: CheapGuest[] = [];
  readonly underlay: Namespace;
  readonly cables: Namespace;
  readonly outside: Namespace;
  readonly #folder = temporaryFolder();
  readonly #mark: string;
  #generation = 1;

  private constructor(mark: string, wires: [underlay: Namespace, cables: Namespace, outside: Namespace]) {
    this.#mark = mark;
    [this.underlay, this.cables, this.outside] = wires;
  }

  /** Makes machines with a mark of the test's own; `change` is for their options, as images of real guests. */
  static async open(mark: string, count: number, change: Partial<ServeOptions> = {}): Promise<JoinedHosts> {
    const wires = [await cable(), await cable(), await cable()] as const;
    const joined = new JoinedHosts(mark, [...wires]);
    await joined.outside.sh(`ip addr add ${WORLD}/24 dev cable`);
    await joined.outside.serve(80, 'world');
    for (let index = 0; index < count; index++) await joined.#addHost(index, change);
    return joined;
  }

  /** The machine of a number. */
  host(index: number): Host {
    const host = this.hosts[index];
    if (!host) throw new Error(`there is no machine ${index}`);
    return host;
  }

  /** Starts a machine's runner again after `machine.close()` or `machine.kill()`. */
  async reopen(index: number): Promise<void> {
    const host = this.host(index);
    host.machine = await MachineInNamespace.open(host.namespace.name, host.options);
  }

  /** Gives an object to every machine, at a generation above all before. */
  async applyEverywhere<K extends Kind>(kind: K, id: string, spec: SpecOf<K>): Promise<void> {
    const generation = this.#generation++;
    for (const { machine } of this.hosts) await machine.apply(kind, id, spec, generation);
  }

  /** A port on a machine with a namespace behind it; the machine must have the network and the groups. */
  async guest(
    index: number,
    on: NetworkSpec,
    offset: number,
    groups: string[],
    change: Partial<PortSpec> = {},
  ): Promise<CheapGuest> {
    const port = portOf(on, offset, { security_groups: groups, ...change });
    const host = this.host(index);
    const namespace = await fakeGuest(host.namespace, this.#mark, port);
    const guest = { host, port, on, namespace, address: port.fixed_ips[0]?.ip_address ?? '' };
    this.guests.push(guest);
    await this.#bind(guest);
    return guest;
  }

  /** A guest of a network of both versions, with an address of the same offset in each of its two subnets. */
  async dualGuest(
    index: number,
    on: NetworkSpec,
    offset: number,
    groups: string[],
    change: Partial<PortSpec> = {},
  ): Promise<CheapGuest & { ip6: string }> {
    const [four, ip6] = on.subnets.map(({ cidr }) => cidr.replace(/0\/\d+$|\/64$/, String(offset)));
    if (!four || !ip6) throw new Error('no network of both versions');
    const fixed_ips = [four, ip6].map((ip_address, at) => ({ subnet_id: on.subnets[at]?.id ?? '', ip_address }));
    const guest = await this.guest(index, on, offset, groups, { fixed_ips, ...change });
    await guest.namespace.sh(`ip addr add ${ip6}/64 dev eth0 nodad`);
    return Object.assign(guest, { ip6 });
  }

  /** Takes a guest's port from its machine to another one, as the edge tells both, with the guest behind it. */
  async moveGuest(guest: CheapGuest, toIndex: number): Promise<void> {
    const from = guest.host;
    guest.host = this.host(toIndex);
    await from.machine.remove('port', guest.port.id);
    await plugIn(guest.namespace, guest.host.namespace, this.#mark, guest.port);
    await this.#bind(guest);
  }

  /** Deletes a guest's port everywhere. */
  async removeGuest(guest: CheapGuest): Promise<void> {
    await guest.host.machine.remove('port', guest.port.id);
    for (const host of this.hosts) await host.machine.remove('neighbor', guest.port.id);
    this.guests.splice(this.guests.indexOf(guest), 1);
    await guest.namespace.close();
  }

  /** Takes everything down. */
  async close(): Promise<void> {
    for (const { machine, namespace, options } of this.hosts) {
      await machine.kill();
      await teardownIn(namespace.name, options);
    }
    const namespaces = [...this.guests, ...this.hosts].map((one) => one.namespace);
    for (const namespace of [...namespaces, this.underlay, this.cables, this.outside]) await namespace.close();
    this.#folder.remove();
  }

  /** Applies a guest's port where it is, and tells the other machines of a VXLAN where that is. */
  async #bind(guest: CheapGuest): Promise<void> {
    const { host, port, on } = guest;
    await host.machine.remove('neighbor', port.id);
    await host.machine.apply('port', port.id, port, this.#generation++);
    await configure(guest.namespace, port, on.subnets[0]?.gateway_ip ?? '');
    if (on.segment.type !== 'vxlan') return;
    const neighbor = neighborOf(port, host.tunnelIp);
    for (const other of this.hosts) {
      if (other !== host) await other.machine.apply('neighbor', port.id, neighbor, this.#generation++);
    }
  }

  async #addHost(index: number, change: Partial<ServeOptions>): Promise<void> {
    const namespace = await Namespace.make();
    const tunnelIp = `192.0.2.${index + 1}`;
    const address = `203.0.113.${10 + index}`;
    await connect(namespace, 'ul0', this.underlay, `h${index}`, `ip addr add ${tunnelIp}/24 dev ul0`);
    await connect(namespace, 'ph0', this.cables, `h${index}`);
    await connect(namespace, 'ext0', this.outside, `h${index}e`);
    const world = `ip addr add ${address}/24 dev up0; ip route add default via ${WORLD}`;
    await connect(namespace, 'up0', this.outside, `h${index}u`, world);
    const options: ServeOptions = {
      stateDir: join(this.#folder.path, String(index)),
      mark: this.#mark,
      images: {},
      tunnelAddress: tunnelIp,
      physicalNetworks: { cables: 'ph0', public: 'ext0' },
      bootId: 'boot-1',
      ...change,
    };
    const machine = await MachineInNamespace.open(namespace.name, options);
    this.hosts.push({ namespace, machine, options, tunnelIp, address });
  }
}

/** What the edge tells the other machines of a port. */
export function neighborOf(port: PortSpec, tunnel_ip: string): NeighborSpec {
  const addresses = port.fixed_ips.map((fixed) => fixed.ip_address);
  return { port_id: port.id, network_id: port.network_id, mac_address: port.mac_address, addresses, tunnel_ip };
}

/** A namespace with a bridge `cable` that others are connected to. */
async function cable(): Promise<Namespace> {
  const namespace = await Namespace.make();
  // Frames on a cable pass no rules, and nothing is said on it that nobody sent.
  await namespace.sh(`sysctl -qw net.bridge.bridge-nf-call-iptables=0 net.bridge.bridge-nf-call-ip6tables=0
    sysctl -qw net.ipv6.conf.default.disable_ipv6=1
    ip link add cable type bridge stp_state 0 forward_delay 0 mcast_snooping 0; ip link set cable up`);
  return namespace;
}

/** An interface of a machine that goes to a cable. */
async function connect(machine: Namespace, name: string, to: Namespace, end: string, andThen = 'true'): Promise<void> {
  await machine.sh(`ip link add ${name} mtu ${MTU_OF_CABLES} type veth peer name ${end} mtu ${MTU_OF_CABLES} netns ${to.name}
    ip link set ${name} up; ${andThen}`);
  await to.sh(`ip link set ${end} master cable up`);
}
