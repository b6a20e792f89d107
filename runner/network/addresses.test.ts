import { expect, it } from 'vitest';
import { addressHex, canonicalAddress, canonicalCidr, linkLocalOf, netmaskOf, networkAddressOf } from './addresses.ts';

it('writes addresses one way', () => {
  expect(canonicalAddress('2001:DB8:0:0::0001')).toBe('2001:db8::1');
  expect(canonicalCidr('10.1.2.3/8')).toBe('10.0.0.0/8');
  expect(canonicalCidr('2001:db8::ffff/64')).toBe('2001:db8::/64');
  expect(networkAddressOf('10.1.2.3/22')).toBe('10.1.0.0');
  expect(netmaskOf('10.0.0.0/22')).toBe('255.255.252.0');
  expect(netmaskOf('0.0.0.0/0')).toBe('0.0.0.0');
  expect(netmaskOf('10.0.0.1/32')).toBe('255.255.255.255');
});

it('knows the link-local address of a hardware address', () => {
  expect(linkLocalOf('fa:16:3e:00:00:30')).toBe('fe80::f816:3eff:fe00:30');
  expect(addressHex('fe80::f816:3eff:fe00:30')).toBe('0xfe80000000000000f8163efffe000030');
});

it('lets through nothing that is no address', () => {
  for (const text of ['10.0.0.1; drop', '10.0.0', '', '1.2.3.4 }', '::1%eth0']) {
    expect(() => canonicalAddress(text)).toThrow('not an address');
  }
  expect(() => canonicalCidr('10.0.0.0/33')).toThrow();
});
