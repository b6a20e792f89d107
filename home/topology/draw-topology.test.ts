import { expect, it } from 'vitest';
import { drawTopology } from './draw-topology.ts';
import type { Port, Topology } from './topology.ts';

const port = (change: Partial<Port> & { address: string }): Port => ({
  id: 'aaaaaaaa-1',
  name: '',
  network_id: 'n1',
  status: 'ACTIVE',
  device_id: '',
  device_owner: '',
  fixed_ips: [{ ip_address: change.address }],
  ...change,
});

const cloud: Topology = {
  hosts: [
    { name: 'host-a', zone: 'nova', state: 'enabled', status: 'connected', guests: 1, pending_objects: 0 },
    { name: 'host-b', zone: 'az-2', state: 'disabled', status: 'down', guests: 0, pending_objects: 7 },
  ],
  networks: [
    {
      id: 'n1',
      name: 'blue',
      shared: false,
      project_id: 'p',
      'provider:network_type': 'vxlan',
      'provider:segmentation_id': 7,
    },
    {
      id: 'n2',
      name: 'public',
      shared: true,
      project_id: 'p',
      'router:external': true,
      'provider:network_type': 'flat',
      'provider:physical_network': 'physnet1',
    },
  ],
  subnets: [{ id: 's1', network_id: 'n1', cidr: '10.0.0.0/24', gateway_ip: '10.0.0.1' }],
  ports: [
    port({ id: 'p1', address: '10.0.0.5', device_id: 'v1', device_owner: 'compute:nova', 'binding:host_id': 'host-a' }),
    port({ id: 'p2', address: '10.0.0.1', device_id: 'r1', device_owner: 'network:router_interface' }),
    port({ id: 'bbbbbbbb-1', address: '10.0.0.9', status: 'DOWN', name: 'evil\u001b[2J' }),
  ],
  routers: [
    {
      id: 'r1',
      name: 'edge',
      external_gateway_info: { network_id: 'n2', external_fixed_ips: [{ ip_address: '203.0.113.9' }] },
    },
  ],
  floatingIps: [{ id: 'f1', floating_ip_address: '203.0.113.5', port_id: 'p1', floating_network_id: 'n2' }],
  servers: new Map([['v1', { name: 'web', status: 'ACTIVE' }]]),
};

it('draws what is in what', () => {
  expect(drawTopology(cloud)).toBe(`Machines
├─ host-a  zone nova  enabled, connected  1 guest
└─ host-b  zone az-2  disabled, down  0 guests  lags by 7

Networks
├─ blue  (vxlan 7)  10.0.0.0/24
│  ├─ 10.0.0.5  web ACTIVE  ACTIVE  on host-a  = 203.0.113.5
│  ├─ 10.0.0.1  router interface of edge  ACTIVE
│  └─ 10.0.0.9  evil?[2J  DOWN
└─ public  (flat on physnet1, external, shared)

Routers
└─ edge
   ├─ to public  203.0.113.9
   └─ blue  10.0.0.1`);
});

it('leaves out what there is none of, and says what is not told', () => {
  const nothing = { ...cloud, hosts: null, networks: [], subnets: [], ports: [], routers: [] };
  expect(drawTopology(nothing)).toBe('Machines\n  (only an administrator sees them)');
});
