import { describe, expect, it } from 'vitest';
import type { CarriedNetwork } from '../../network/networks/carried-networks.ts';
import type { HostTraits } from './demands.ts';
import { networkDemands } from './network-demands.ts';

const host = (of: Partial<HostTraits> = {}): HostTraits => ({
  ...{ id: 'h', hypervisor: 'qemu', capabilities: [], aggregates: [] },
  ...{ tunnelIp: null, physicalNetworks: [] },
  ...of,
});
const network = (of: Partial<CarriedNetwork> = {}): CarriedNetwork => ({
  ...{ id: 'n', type: 'vxlan', physicalNetwork: null, alone: null, used: 0 },
  ...of,
});
/** What a host is refused for. */
const refusals = (networks: CarriedNetwork[], on: HostTraits) =>
  networkDemands(networks).flatMap((demand) => (demand.holds(on) ? [] : [demand.refused]));
const tunnel = { tunnelIp: '192.0.2.1' };

describe('a server on networks', () => {
  it('may be anywhere where they are of the host itself', () => {
    expect(refusals([network({ type: 'local', used: 1 })], host())).toEqual([]);
  });

  it('needs the cables of each', () => {
    const flat = network({ type: 'flat', physicalNetwork: 'racks' });
    expect(refusals([flat], host({ physicalNetworks: ['public'] }))).toEqual(['not on the cables of network n']);
    expect(refusals([flat], host({ physicalNetworks: ['public', 'racks'] }))).toEqual([]);
    const other = network({ id: 'o', type: 'flat', physicalNetwork: 'public' });
    expect(refusals([flat, other], host({ physicalNetworks: ['racks'] }))).toEqual(['not on the cables of network o']);
  });

  it('needs a kernel that makes 802.1Q ids where it has one', () => {
    const vlan = network({ type: 'vlan', physicalNetwork: 'racks' });
    const cabled = { physicalNetworks: ['racks'] };
    expect(refusals([vlan], host(cabled))).toEqual(['without 802.1Q for network n']);
    expect(refusals([vlan], host({ ...cabled, capabilities: ['vlan'] }))).toEqual([]);
    expect(refusals([vlan], host({ capabilities: ['vlan'] }))).toEqual(['not on the cables of network n']);
  });

  it.each([
    ['is used nowhere', {}, {}, true],
    ['is used elsewhere', { used: 1 as const }, {}, false],
    ['is used elsewhere', { used: 1 as const }, tunnel, true],
    ['is used on this host without a tunnel', { used: 1 as const, alone: 'h' }, {}, true],
    ['is used on another host without a tunnel', { used: 1 as const, alone: 'x' }, tunnel, false],
  ])('whose VXLAN %s: %j to a host with %j: %s', (_, of, traits, good) => {
    const refused = good ? [] : ['without a tunnel to the guests of network n'];
    expect(refusals([network(of)], host(traits))).toEqual(refused);
  });
});
