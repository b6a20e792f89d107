import type { NetworkSpec, PortSpec } from '../../../shared/specs/network.ts';
import { canonicalAddress, canonicalCidr, netmaskOf, networkAddressOf, prefixLengthOf } from '../addresses.ts';

const TAP_ID_CHARACTERS = 11;

export interface Attachment {
  port: PortSpec;
  network: NetworkSpec;
}

/** network_data.json: a guest's interfaces, in order, as Nova describes them. */
export function networkData(attachments: readonly Attachment[]): Record<string, unknown> {
  const linkOf = (port: PortSpec) => `tap${port.id.slice(0, TAP_ID_CHARACTERS)}`;
  let count = 0;
  const networks = attachments.flatMap(({ port, network }) =>
    port.fixed_ips.flatMap((fixed) => {
      const subnet = network.subnets.find((one) => one.id === fixed.subnet_id);
      if (!subnet) return [];
      const head = { id: `network${count++}`, link: linkOf(port), network_id: network.id };
      if (subnet.enable_dhcp && subnet.ip_version === 4) return [{ ...head, type: 'ipv4_dhcp' }];
      const mode = subnet.ipv6_address_mode;
      if (subnet.enable_dhcp && mode === null) return [{ ...head, type: 'ipv6_dhcp' }];
      const address = fixedAddress(subnet, fixed.ip_address);
      return [{ ...head, ...address, ...(mode === null ? {} : { type: `ipv6_${mode}` }) }];
    }),
  );
  const servers = attachments.flatMap(({ network }) => network.subnets.flatMap((subnet) => subnet.dns_nameservers));
  return {
    links: attachments.map(({ port }) => ({
      id: linkOf(port),
      vif_id: port.id,
      type: 'bridge',
      mtu: port.mtu,
      ethernet_mac_address: port.mac_address,
    })),
    networks,
    services: [...new Set(servers.map(canonicalAddress))].map((address) => ({ type: 'dns', address })),
  };
}

function fixedAddress(subnet: NetworkSpec['subnets'][number], address: string): Record<string, unknown> {
  const netmask = (cidr: string) => (cidr.includes(':') ? String(prefixLengthOf(cidr)) : netmaskOf(cidr));
  const everything = subnet.ip_version === 4 ? '0.0.0.0/0' : '::/0';
  const routes = [
    ...subnet.host_routes.map((route) => ({ destination: route.destination, gateway: route.nexthop })),
    ...(subnet.gateway_ip === null ? [] : [{ destination: everything, gateway: subnet.gateway_ip }]),
  ];
  return {
    type: subnet.ip_version === 4 ? 'ipv4' : 'ipv6',
    ip_address: canonicalAddress(address),
    netmask: netmask(canonicalCidr(subnet.cidr)),
    routes: routes.map((route) => ({
      network: networkAddressOf(route.destination),
      netmask: netmask(canonicalCidr(route.destination)),
      gateway: canonicalAddress(route.gateway),
    })),
    services: subnet.dns_nameservers.map((server) => ({ type: 'dns', address: canonicalAddress(server) })),
  };
}
