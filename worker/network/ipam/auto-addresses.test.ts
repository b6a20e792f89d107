import { expect, it } from 'vitest';
import { autoAddress, isAuto } from './auto-addresses.ts';

const subnet = { id: 's', cidr: '2001:db8:1::/64' };

it('makes the address that a guest makes of its hardware address', () => {
  // The example of RFC 4291, appendix A, and what Linux makes of the others.
  expect(autoAddress(subnet, '34:56:78:9a:bc:de').ipAddress).toBe('2001:db8:1:0:3656:78ff:fe9a:bcde');
  expect(autoAddress(subnet, 'fa:16:3e:00:00:02').ipAddress).toBe('2001:db8:1:0:f816:3eff:fe00:2');
  expect(autoAddress({ ...subnet, cidr: '2001:db8::/64' }, '02:00:00:00:00:00').ipAddress).toBe('2001:db8::ff:fe00:0');
});

it('keeps each apart from all others of a subnet, exactly', () => {
  const offsets = ['00:00:00:00:00:00', 'fa:16:3e:00:00:02', 'fa:16:3e:00:00:03', 'ff:ff:ff:ff:ff:ff'].map(
    (mac) => autoAddress(subnet, mac).hostOffset,
  );
  expect(offsets[0]).toBe(-1);
  expect(offsets[1]).toBe((offsets[2] ?? 0) + 1);
  expect(offsets.every((offset) => Number.isSafeInteger(offset) && offset < 0)).toBe(true);
});

it('is for the modes in which guests make addresses, whoever advertises', () => {
  const modes = (ipv6RaMode: 'slaac' | 'dhcpv6-stateful' | null, ipv6AddressMode: 'dhcpv6-stateless' | null) =>
    isAuto({ ipv6RaMode, ipv6AddressMode });
  expect([modes('slaac', null), modes(null, 'dhcpv6-stateless')]).toEqual([true, true]);
  expect([modes('dhcpv6-stateful', null), modes(null, null)]).toEqual([false, false]);
});
