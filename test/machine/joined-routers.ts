import { randomUUID } from 'node:crypto';
import type { NetworkSpec } from '../../shared/specs/network.ts';
import type { FloatingIpSpec, PortForwardingSpec, RouterSpec } from '../../shared/specs/router.ts';
import { type CheapGuest, JoinedHosts, WORLD } from './joined-hosts.ts';
import { groupOf, networkOf, ruleOf } from './specs.ts';

/** What guests without a floating IP leave as, by their machine's number. */
export const SNAT = ['203.0.113.200', '203.0.113.201'];
export const CURL = 'curl -sS -m 20';
/** Silence is waited for only briefly. */
export const CURL_BRIEFLY = 'curl -sS -m 1.5';

let vxlans = 100;

/** Machines on a cable to the world, with that as external network `outside`, and a group that lets everything in: `open`. */
export class JoinedRouters {
  readonly joined: JoinedHosts;
  readonly outside: NetworkSpec;
  readonly open = groupOf(ruleOf());

  private constructor(joined: JoinedHosts) {
    this.joined = joined;
    this.outside = networkOf('203.0.113.0/24', {
      external: true,
      snat: false,
      host_access: false,
      mtu: 1500,
      segment: { type: 'flat', physical_network: 'public' },
    });
    this.outside.subnets = this.outside.subnets.map((subnet) => ({ ...subnet, enable_dhcp: false }));
  }

  static async open(mark: string, count: number): Promise<JoinedRouters> {
    const routers = new JoinedRouters(await JoinedHosts.open(mark, count));
    await routers.joined.applyEverywhere('security-group', routers.open.id, routers.open);
    await routers.joined.applyEverywhere('network', routers.outside.id, routers.outside);
    return routers;
  }

  /** A tenant's network on every machine, without a router. */
  async network(cidr: string, change: Partial<NetworkSpec> = {}): Promise<NetworkSpec> {
    const segment = { type: 'vxlan' as const, id: vxlans++ };
    const net = networkOf(cidr, { snat: false, host_access: false, segment, ...change });
    await this.joined.applyEverywhere('network', net.id, net);
    return net;
  }

  /** Makes a router, or changes it: the gateway of each network's subnets, and on each machine with an address of the world. */
  async router(
    nets: readonly NetworkSpec[],
    change: Partial<RouterSpec> = {},
    gateway: Partial<NonNullable<RouterSpec['gateway']>> = {},
  ): Promise<string> {
    const id = change.id ?? randomUUID();
    const interfaces = nets.flatMap((net) =>
      net.subnets.map((subnet) => ({
        network_id: net.id,
        subnet_id: subnet.id,
        ip_address: subnet.gateway_ip ?? '',
      })),
    );
    for (const [index, { machine }] of this.joined.hosts.entries()) {
      const snat_ip = SNAT[index] ?? '';
      const way = { network_id: this.outside.id, enable_snat: true, snat_ip, next_hops: [WORLD], ...gateway };
      const spec = { id, admin_state_up: true, interfaces, routes: [], gateway: way, ...change };
      await machine.apply('router', id, spec);
    }
    return id;
  }

  /** A tenant's network behind a router of its own. */
  async tenant(cidr: string): Promise<{ net: NetworkSpec; routerId: string }> {
    const net = await this.network(cidr);
    return { net, routerId: await this.router([net]) };
  }

  /** Gives a guest an address of the world; answers the floating IP's id. */
  async float(address: string, guest: CheapGuest, routerId: string, change: Partial<FloatingIpSpec> = {}) {
    const spec: FloatingIpSpec = {
      id: randomUUID(),
      floating_ip_address: address,
      external_network_id: this.outside.id,
      router_id: routerId,
      port_id: guest.port.id,
      network_id: guest.on.id,
      fixed_ip_address: guest.address,
      qos: null,
      ...change,
    };
    await guest.host.machine.apply('floating-ip', spec.id, spec);
    return spec.id;
  }

  /** Forwards ports of an address to a guest, as the edge tells the machine that holds the address and the guest's. */
  async forward(
    address: string,
    holderIndex: number,
    guest: CheapGuest,
    routerId: string,
    change: Partial<PortForwardingSpec> & Pick<PortForwardingSpec, 'external_ports' | 'internal_ports'>,
  ): Promise<string> {
    const holder = this.joined.host(holderIndex);
    const id = change.id ?? randomUUID();
    for (const host of new Set([holder, guest.host])) {
      await host.machine.apply('port-forwarding', id, {
        id,
        floating_ip_id: id,
        floating_ip_address: address,
        external_network_id: this.outside.id,
        router_id: routerId,
        protocol: 'tcp',
        port_id: guest.port.id,
        network_id: guest.on.id,
        mac_address: guest.port.mac_address,
        internal_ip_address: guest.address,
        holder: host === holder,
        holder_tunnel_ip: guest.on.segment.type === 'vxlan' ? holder.tunnelIp : null,
        qos: null,
        ...change,
      });
    }
    return id;
  }
}
