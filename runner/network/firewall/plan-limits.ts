import { TO_GATEWAY_BIT } from '../names.ts';
import type { ChainPlan, SetPlan } from './ruleset.ts';

/** What one port may ask of the machine, whatever its groups say: one guest must not use up what all share. */
const ARP_PER_SECOND = 200;
/** Neighbour discovery and multicast listening. */
const ND_PER_SECOND = 200;
const DHCP_PER_SECOND = 20;
/** New connections, which each cost the kernel's connection tracking an entry. */
const NEW_PER_SECOND = 1_000;
/** Entries of connection tracking that a port holds at once; a usual machine has room for 262,144. */
const CONNECTIONS_MAX = 16_384;
/** A port that was silent for that long begins anew. */
const FORGOTTEN_AFTER_S = 60;
const PORTS_MAX = 65_535;

const meter = (key: string): SetPlan => ({
  type: `type ${key}; size ${PORTS_MAX}; flags dynamic,timeout; timeout ${FORGOTTEN_AFTER_S}s`,
  elements: new Map(),
});
const over = (perSecond: number) => `limit rate over ${perSecond}/second burst ${perSecond} packets`;

/** Sets of the bridge table in which it counts what each tap sends. */
export const frameMeters = (): Record<string, SetPlan> => ({
  arp_rate: meter('ifname'),
  nd_rate: meter('ifname'),
  dhcp_rate: meter('ifname'),
});

/** Drops what a tap sends too much of, of what the machine itself or every guest must look at. */
export function frameLimits(): ChainPlan {
  return {
    hook: null,
    rules: [
      `ether type arp update @arp_rate { iifname ${over(ARP_PER_SECOND)} } drop`,
      `icmpv6 type { 130, 131, 132, 133, 135, 136, 143 } update @nd_rate { iifname ${over(ND_PER_SECOND)} } drop`,
      `udp dport { 67, 547 } update @dhcp_rate { iifname ${over(DHCP_PER_SECOND)} } drop`,
    ],
  };
}

/** Sets of the inet table in which it counts each port's connections. */
export const connectionMeters = (): Record<string, SetPlan> => ({
  new_rate: meter('mark'),
  connections: { type: `type mark; size ${PORTS_MAX}; flags dynamic`, elements: new Map() },
});

/** The port's number, wherever it sends to. */
const PORT = `meta mark and 0x${(TO_GATEWAY_BIT - 1).toString(16)}`;

/** Drops what would begin one connection too many; those that are there go on. */
export const CONNECTION_LIMITS = [
  `update @new_rate { ${PORT} ${over(NEW_PER_SECOND)} } drop`,
  `add @connections { ${PORT} ct count over ${CONNECTIONS_MAX} } drop`,
];
