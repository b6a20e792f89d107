import type { Kind, SpecOf } from '../../shared/specs/kinds.ts';
import type { GroupMemberSpec, NeighborSpec, PortSpec } from '../../shared/specs/network.ts';
import type { FloatingIpSpec, PortForwardingSpec, RouterSpec } from '../../shared/specs/router.ts';

/** How an object hangs together with others; keys as in the ledger. */
export interface References {
  /** Must be there before it can be applied, and must not go before it has. */
  needs: readonly string[];
  /** Applied first where they are wanted here, but not needed. */
  follows: readonly string[];
  /** What only one object may hold at a time: whoever gives it up goes first. */
  claims: readonly string[];
}

export const NO_REFERENCES: References = { needs: [], follows: [], claims: [] };

/** The references of a spec, checked before. */
export function referencesOf<K extends Kind>(kind: K, spec: SpecOf<K>): References {
  switch (kind) {
    case 'server': {
      const { ports } = spec as SpecOf<'server'>;
      return { needs: ports.map((id) => `port/${id}`), follows: [], claims: ports.map((id) => `guest-of:${id}`) };
    }
    case 'port':
      return referencesOfPort(spec as PortSpec);
    case 'group-member':
      return { ...NO_REFERENCES, follows: [`security-group/${(spec as GroupMemberSpec).group_id}`] };
    case 'neighbor':
      return { ...NO_REFERENCES, needs: [`network/${(spec as NeighborSpec).network_id}`] };
    case 'router':
      return { ...NO_REFERENCES, needs: networksOf(spec as RouterSpec).map((id) => `network/${id}`) };
    case 'floating-ip':
      return referencesOfFloatingIp(spec as FloatingIpSpec);
    case 'port-forwarding':
      return { ...NO_REFERENCES, needs: [`router/${(spec as PortForwardingSpec).router_id}`] };
    default:
      return NO_REFERENCES;
  }
}

function referencesOfPort(spec: PortSpec): References {
  const groups = spec.port_security_enabled ? spec.security_groups : [];
  return {
    needs: [`network/${spec.network_id}`, ...groups.map((id) => `security-group/${id}`)],
    // No guest sends anything before what it must not reach is closed.
    follows: ['intranet/filter'],
    claims: [
      `mac:${spec.network_id}/${spec.mac_address}`,
      ...spec.fixed_ips.map((fixed) => `ip:${spec.network_id}/${fixed.ip_address}`),
    ],
  };
}

const networksOf = ({ interfaces, gateway }: RouterSpec): string[] => [
  ...new Set([...interfaces.map((one) => one.network_id), ...(gateway ? [gateway.network_id] : [])]),
];

function referencesOfFloatingIp(spec: FloatingIpSpec): References {
  return {
    needs: [`router/${spec.router_id}`, `port/${spec.port_id}`],
    follows: [],
    claims: [`floating-ip:${spec.external_network_id}/${spec.floating_ip_address}`],
  };
}

/** Both together. */
export function unionOf(a: References, b: References): References {
  return {
    needs: [...new Set([...a.needs, ...b.needs])],
    follows: [...new Set([...a.follows, ...b.follows])],
    claims: [...new Set([...a.claims, ...b.claims])],
  };
}
