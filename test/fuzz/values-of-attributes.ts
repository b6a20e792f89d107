import type fc from 'fast-check';
import type { Attributes } from '../../worker/network/api/attributes.ts';
import { candidatesFor, some } from './values-of.ts';

/** What of networking is a list, an object or a word of its own, by the name of its attribute. */
const SHAPED: Readonly<Record<string, unknown[]>> = {
  object_type: ['network', 'security_group', 'subnetpool', 'address_scope'],
  object_id: ['{network}', '{security_group}', '{subnetpool}', '{address_scope}'],
  action: ['access_as_shared'],
  target_tenant: ['{project}', '*'],
  prefixes: [['10.20.0.0/16'], ['10.21.0.0/16', '10.22.0.0/16'], ['fd00:20::/48']],
  fixed_ips: [[], [{ subnet_id: '{subnet}' }], [{ ip_address: '10.7.0.44' }]],
  security_groups: [[], ['{security_group}']],
  allocation_pools: [[], [{ start: '10.7.0.5', end: '10.7.0.99' }]],
  dns_nameservers: [[], ['192.0.2.53'], ['192.0.2.53', 'fd00::53']],
  host_routes: [[], [{ destination: '10.8.0.0/24', nexthop: '10.7.0.2' }]],
  addresses: [['10.8.0.0/24'], ['10.8.1.1/32', 'fd00:8::/64']],
  routes: [[], [{ destination: '10.8.0.0/24', nexthop: '10.7.0.2' }]],
  external_gateway_info: [null, { network_id: '{external_network}' }],
  floating_network_id: ['{external_network}'],
  protocol: ['tcp', 'udp'],
  tags: [[], ['blue'], ['blue', 'red']],
};

/** The attributes of a create or an update: what each one's own parser takes. */
export function valuesOfAttributes(attributes: Attributes, method: 'post' | 'put'): fc.Arbitrary<unknown> {
  const sent = Object.entries(attributes).filter(([, attribute]) => attribute[method]);
  const all = sent.map(([name, attribute]) => {
    const accepts = (value: unknown) => {
      try {
        attribute.parse(value);
        return true;
      } catch {
        return false;
      }
    };
    return [name, candidatesFor(accepts, [name], SHAPED[name])] as const;
  });
  const required = method === 'post' ? sent.flatMap(([name, { required }]) => (required ? [name] : [])) : [];
  return some(Object.fromEntries(all), required);
}
