import type { GroupMemberSpec, NetworkSpec, PortSpec, QosSpec, SecurityGroupSpec } from '../../shared/specs/network.ts';
import type { ServerSpec } from '../../shared/specs/server.ts';

/** A UUID from a small number, so that tests can be read. */
export const id = (number: number) => `00000000-0000-4000-8000-${number.toString(16).padStart(12, '0')}`;

export function networkOf(number: number): NetworkSpec {
  return {
    id: id(number),
    mtu: 1500,
    segment: { type: 'local' },
    external: false,
    snat: true,
    host_access: false,
    subnets: [],
  };
}

export function groupOf(number: number): SecurityGroupSpec {
  return { id: id(number), stateful: true, rules: [] };
}

export function memberOf(group: number, port: number): GroupMemberSpec {
  return { group_id: id(group), port_id: id(port), addresses: ['10.0.0.5'] };
}

export function portOf(number: number, network: number, change: Partial<PortSpec> = {}): PortSpec {
  return {
    id: id(number),
    network_id: id(network),
    project_id: 'p',
    server_id: null,
    mac_address: `fa:16:3e:00:00:${(number & 0xff).toString(16).padStart(2, '0')}`,
    fixed_ips: [],
    hostname: null,
    admin_state_up: true,
    port_security_enabled: true,
    security_groups: [],
    mtu: 1500,
    allowed_address_pairs: [],
    extra_dhcp_opts: [],
    qos: null,
    ...change,
  };
}

export function serverOf(number: number, change: Partial<ServerSpec> = {}): ServerSpec {
  return {
    id: id(number),
    epoch: 1,
    power: 'on',
    vcpus: 1,
    memory_mib: 512,
    disk_gib: 1,
    image: { id: id(0xffff), sha256: 'a'.repeat(64), size_bytes: 1024, disk_format: 'qcow2' },
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
      uuid: id(number),
      name: `server-${number}`,
      hostname: `server-${number}`,
      project_id: 'p',
      availability_zone: 'nova',
      launch_index: 0,
      meta: {},
      public_keys: {},
      instance_type: 'm1.tiny',
      vendor_data: {},
      user_data: null,
    },
    ...change,
  };
}

/** A policy of which only that is said which is given. */
export const qosOf = (change: Partial<QosSpec> = {}): QosSpec => ({
  egress_kbps: null,
  egress_burst_kbits: null,
  ingress_kbps: null,
  ingress_burst_kbits: null,
  dscp_mark: null,
  ...change,
});
