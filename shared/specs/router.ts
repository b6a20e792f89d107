import { z } from 'zod';
import { cidrText, ipText, macAddress, qosSpec, uuid } from './network.ts';

/** A router as every machine has it that serves one of its networks: each routes what its own guests send. */
export const routerSpec = z.object({
  id: uuid,
  admin_state_up: z.boolean(),
  /** Its addresses on networks of guests. They are the same on every machine, and so is the MAC of a network's gateway. */
  interfaces: z.array(z.object({ network_id: uuid, subnet_id: uuid, ip_address: ipText })).max(256),
  routes: z.array(z.object({ destination: cidrText, nexthop: ipText })).max(64),
  gateway: z
    .object({
      network_id: uuid,
      enable_snat: z.boolean(),
      /** What guests without a floating IP are translated to on this machine: its own address on that network. */
      snat_ip: z.ipv4().nullable(),
      /** The next hops to the world, one of each IP version at most. */
      next_hops: z.array(ipText).max(2),
    })
    .nullable(),
});
export type RouterSpec = z.infer<typeof routerSpec>;

/** A floating IP, on the machine that serves its port: announced there, translated both ways. */
export const floatingIpSpec = z.object({
  id: uuid,
  floating_ip_address: z.ipv4(),
  /** The external network that it is an address of. */
  external_network_id: uuid,
  router_id: uuid,
  port_id: uuid,
  network_id: uuid,
  fixed_ip_address: z.ipv4(),
  /** Marks are of ports alone. */
  qos: qosSpec.nullable(),
});
export type FloatingIpSpec = z.infer<typeof floatingIpSpec>;

/**
 * One forwarded range of a floating IP that many guests share. One machine holds the address and translates; the machine of
 * each guest sends the answers back there.
 */
export const portForwardingSpec = z.object({
  id: uuid,
  floating_ip_id: uuid,
  floating_ip_address: z.ipv4(),
  external_network_id: uuid,
  router_id: uuid,
  protocol: z.enum(['tcp', 'udp', 'sctp', 'dccp', 'icmp']),
  /** Both ranges have the same length, or the inner one is a single port. Null for ICMP. */
  external_ports: z.tuple([z.int().min(1).max(65535), z.int().min(1).max(65535)]).nullable(),
  internal_ports: z.tuple([z.int().min(1).max(65535), z.int().min(1).max(65535)]).nullable(),
  port_id: uuid,
  network_id: uuid,
  mac_address: macAddress,
  internal_ip_address: z.ipv4(),
  /** Whether this machine holds the address. */
  holder: z.boolean(),
  /** The tunnel address of the machine that does; null where the network has no tunnels. */
  holder_tunnel_ip: ipText.nullable(),
  /** Of the floating IP: the holder keeps to it, for all its forwarded ports together. */
  qos: qosSpec.nullable().default(null),
});
export type PortForwardingSpec = z.infer<typeof portForwardingSpec>;
