import { expect, it } from 'vitest';
import { id, serverOf } from '../testing/specs.ts';
import { configDriveTree } from './config-drive.ts';
import { guestPaths } from './guest-paths.ts';
import { limitsOf } from './start-guest.ts';

it('holds a guest to its flavor, with room for QEMU itself', () => {
  const spec = serverOf(1, { vcpus: 2, memory_mib: 1024 });
  expect(limitsOf(spec, 'kvm')).toEqual({ cpu_milli: 2500, memory_bytes: 1280 * 1024 ** 2, pids: 130 });
  expect(limitsOf(spec, 'tcg').memory_bytes).toBe(1408 * 1024 ** 2);
});

it('keeps a guest’s files in a folder of its own', () => {
  expect(guestPaths('/state', id(1)).monitor).toBe(`/state/guests/${id(1)}/run/monitor`);
  for (const bad of ['..', '../../etc', '', 'a/b']) expect(() => guestPaths('/state', bad)).toThrow('not a guest');
});

it('puts on the config drive what the metadata service says', () => {
  const { metadata } = serverOf(1);
  const user_data = Buffer.from('hello').toString('base64');
  const subject = {
    metadata: {
      ...metadata,
      user_data,
      public_keys: { mine: 'ssh-rsa A' },
      files: [{ path: '/etc/motd', contents: user_data }],
    },
    networkData: {},
    devices: [],
    randomSeed: 's',
    imageId: id(2),
    fixedIpv4: null,
    floatingIpv4: null,
  };
  const tree = configDriveTree(subject);
  expect(tree.get('openstack/latest/user_data')?.toString()).toBe('hello');
  expect(tree.get('ec2/latest/user-data')?.toString()).toBe('hello');
  const ec2 = JSON.parse(tree.get('ec2/2009-04-04/meta-data.json')?.toString() ?? '');
  expect(ec2['instance-id']).toMatch(/^i-/);
  expect(ec2['public-keys']).toEqual({ 0: { 'openssh-key': 'ssh-rsa A' } });
  expect(tree.get('openstack/content/0000')?.toString()).toBe('hello');
  expect(tree.has('openstack/latest/network_data.json')).toBe(true);
});
