import { expect, it } from 'vitest';
import { parseOptions, runArgumentsOf } from './options.ts';

it('takes interfaces by the names of the networks that they are on', () => {
  const args = [
    'run',
    '--tunnel-address',
    '192.0.2.7',
    '--physical-network',
    'public=eth1',
    '--physical-network',
    'racks=bond0',
  ];
  const options = parseOptions(args);
  expect(options.physicalNetworks).toEqual({ public: 'eth1', racks: 'bond0' });
  // What systemd runs is run as it was asked to.
  expect(parseOptions(runArgumentsOf(options))).toEqual(options);
});

it.each([
  [['--tunnel-address', 'here'], /not an IP address/],
  [['--physical-network', 'public'], /not NAME=INTERFACE/],
  [['--physical-network', 'public=a/b'], /not NAME=INTERFACE/],
  [['--physical-network', 'a=eth1', '--physical-network', 'b=eth1'], /an interface one name/],
  [['--physical-network', 'a=eth1', '--physical-network', 'a=eth2'], /a name has one interface/],
])('refuses %j', (args, why) => {
  expect(() => parseOptions(['run', ...args])).toThrow(why);
});
