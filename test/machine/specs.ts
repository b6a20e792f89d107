import { createHash, randomUUID } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import type { NetworkSpec, PortSpec, SecurityGroupSpec } from '../../shared/specs/network.ts';
import type { ImageRef, ServerSpec } from '../../shared/specs/server.ts';

type Rule = SecurityGroupSpec['rules'][number];

/** A network of one IPv4 subnet whose gateway is its first address. */
export function networkOf(cidr: string, change: Partial<NetworkSpec> = {}): NetworkSpec {
  const subnet = {
    id: randomUUID(),
    ip_version: 4 as const,
    cidr,
    gateway_ip: addressIn(cidr, 1),
    enable_dhcp: true,
    dns_nameservers: ['192.0.2.53'],
    host_routes: [],
    ipv6_ra_mode: null,
    ipv6_address_mode: null,
  };
  return {
    id: randomUUID(),
    mtu: 1450,
    segment: { type: 'local' },
    external: false,
    snat: true,
    host_access: true,
    subnets: [subnet],
    ...change,
  };
}

/** The same network with an IPv6 subnet too, of which the gateway ends in 1. */
export function withIpv6(
  network: NetworkSpec,
  cidr: string,
  change: Partial<NetworkSpec['subnets'][number]> = {},
): NetworkSpec {
  const [subnet] = network.subnets;
  if (!subnet) throw new Error('no subnet');
  const id = randomUUID();
  const gateway_ip = cidr.replace('/64', '1');
  const six = { ...subnet, id, ip_version: 6 as const, cidr, gateway_ip, dns_nameservers: [], ...change };
  return { ...network, subnets: [subnet, six] };
}

/** The address at an offset below 256 in an IPv4 range. */
export function addressIn(cidr: string, offset: number): string {
  return cidr.replace(/\d+\/\d+$/, String(offset));
}

let macs = 0;
const hexByte = (value: number) => value.toString(16).padStart(2, '0');

/** A port with one address on the network's first subnet. */
export function portOf(network: NetworkSpec, offset: number, change: Partial<PortSpec> = {}): PortSpec {
  const [subnet] = network.subnets;
  if (!subnet) throw new Error('no subnet');
  macs++;
  return {
    id: randomUUID(),
    network_id: network.id,
    project_id: 'p',
    server_id: null,
    mac_address: `fa:16:3e:00:${hexByte(macs >> 8)}:${hexByte(macs & 0xff)}`,
    fixed_ips: [{ subnet_id: subnet.id, ip_address: addressIn(subnet.cidr, offset) }],
    hostname: `guest${offset}`,
    admin_state_up: true,
    port_security_enabled: true,
    security_groups: [],
    mtu: network.mtu,
    allowed_address_pairs: [],
    extra_dhcp_opts: [],
    qos: null,
    ...change,
  };
}

export function ruleOf(change: Partial<Rule> = {}): Rule {
  return {
    id: randomUUID(),
    direction: 'ingress',
    ethertype: 'IPv4',
    protocol: null,
    port_range_min: null,
    port_range_max: null,
    remote_ip_prefix: null,
    remote_group_id: null,
    remote_address_group_id: null,
    ...change,
  };
}

/** A group that lets everything out, and in what the rules say. */
export function groupOf(...rules: Rule[]): SecurityGroupSpec {
  const out = (['IPv4', 'IPv6'] as const).map((ethertype) => ruleOf({ direction: 'egress', ethertype }));
  return { id: randomUUID(), stateful: true, rules: [...out, ...rules] };
}

export function imageOf(path: string, disk_format: ImageRef['disk_format']): ImageRef {
  const sha256 = createHash('sha256').update(readFileSync(path)).digest('hex');
  return { id: randomUUID(), sha256, size_bytes: statSync(path).size, disk_format };
}

/** A small guest that boots an image's own kernel, or the kernel given. */
export function serverOf(image: ImageRef, change: Partial<ServerSpec> = {}): ServerSpec {
  const id = change.id ?? randomUUID();
  return {
    id,
    epoch: 1,
    power: 'on',
    vcpus: 1,
    memory_mib: 128,
    disk_gib: 1,
    image,
    kernel: null,
    ramdisk: null,
    kernel_command_line: null,
    disk_version: 1,
    rescue: null,
    ports: [],
    config_drive: false,
    incoming: null,
    old_disk: null,
    metadata: {
      uuid: id,
      name: 'guest',
      hostname: 'guest.example',
      project_id: 'project',
      availability_zone: 'nova',
      launch_index: 0,
      meta: { role: 'test' },
      public_keys: { mine: 'ssh-ed25519 AAAAC3Nz test' },
      instance_type: 'm1.tiny',
      vendor_data: { vendor: 'aerostat' },
      user_data: null,
    },
    ...change,
  };
}
