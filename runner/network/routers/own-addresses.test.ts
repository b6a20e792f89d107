import { expect, it } from 'vitest';
import { id, networkOf } from '../../testing/specs.ts';
import { temporaryFolder } from '../../testing/temporary-folder.ts';
import { Inventory } from '../inventory.ts';
import { ownAddressesOf } from './own-addresses.ts';

const subnet = {
  id: id(2),
  ip_version: 4 as const,
  cidr: '10.0.0.0/24',
  gateway_ip: '10.0.0.1',
  enable_dhcp: true,
  dns_nameservers: [],
  host_routes: [],
  ipv6_ra_mode: null,
  ipv6_address_mode: null,
};
const router = (ip_address: string) => ({
  id: id(9),
  admin_state_up: true,
  interfaces: [{ network_id: id(1), subnet_id: id(2), ip_address }],
  routes: [],
  gateway: null,
});

it('has a gateway only where the machine is it, or a router', async () => {
  const inventory = await Inventory.open(temporaryFolder());
  const addresses = () => ownAddressesOf(inventory, id(1)).map((one) => one.address);
  await inventory.put('network', id(1), { ...networkOf(1), snat: false, subnets: [subnet] });
  expect(addresses()).toEqual([]);
  await inventory.put('router', id(9), router('10.0.0.254'));
  expect(addresses()).toEqual(['10.0.0.254']);
  await inventory.put('network', id(1), { ...networkOf(1), snat: true, subnets: [subnet] });
  expect(addresses()).toEqual(['10.0.0.1', '10.0.0.254']);
});

it('takes no address that is somebody else’s', async () => {
  const inventory = await Inventory.open(temporaryFolder());
  const elsewhere = { ...subnet, gateway_ip: '8.8.8.8' };
  await inventory.put('network', id(1), { ...networkOf(1), snat: true, subnets: [elsewhere] });
  expect(ownAddressesOf(inventory, id(1))).toEqual([]);
});
