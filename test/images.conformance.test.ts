import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Cloud, startCloud } from './cloud.ts';
import { openstackCli } from './openstack-cli.ts';

let cloud: Cloud;
let folder: string;
let admin: ReturnType<typeof openstackCli>;
let user: ReturnType<typeof openstackCli>;
let other: ReturnType<typeof openstackCli>;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'aerostat-images-'));
  cloud = await startCloud();
  const { adminPassword } = JSON.parse(readFileSync(cloud.paths.secrets, 'utf8')) as { adminPassword: string };
  admin = openstackCli(cloud, { user: 'admin', password: adminPassword, project: 'admin' });
  const tenant = async (name: string) => {
    await admin.text('project', 'create', name);
    await admin.text('user', 'create', name, '--password', 'secret', '--project', name);
    await admin.text('role', 'add', '--user', name, '--project', name, 'member');
    return openstackCli(cloud, { user: name, password: 'secret', project: name });
  };
  user = await tenant('owner');
  other = await tenant('guest');
});
afterAll(async () => {
  await cloud.stop();
  rmSync(folder, { recursive: true, force: true });
});

interface Image {
  id: string;
  status: string;
  visibility: string;
  tags: string[];
  properties: Record<string, unknown>;
}
interface Listed {
  ID: string;
  Name: string;
}
const names = async (cli: typeof user, ...filter: string[]) =>
  (await cli.json<Listed[]>('image', 'list', ...filter)).map(({ Name }) => Name).sort();

it('the openstack client manages an image from its upload to its end', async () => {
  const disk = join(folder, 'disk.qcow2');
  execFileSync('/usr/bin/qemu-img', ['create', '-q', '-f', 'qcow2', disk, '1G']);
  const create = ['image', 'create', '--disk-format', 'qcow2', '--container-format', 'bare', '--file', disk];
  await user.text(...create, '--property', 'hw_disk_bus=virtio', '--tag', 'first', '--min-disk', '1', 'disk');
  expect(await user.json('image', 'show', 'disk')).toMatchObject({
    status: 'active',
    size: readFileSync(disk).length,
    virtual_size: 1024 ** 3,
    min_disk: 1,
    tags: ['first'],
    properties: {
      hw_disk_bus: 'virtio',
      os_hash_algo: 'sha512',
      'owner_specified.openstack.md5': '',
      'owner_specified.openstack.object': 'images/disk',
    },
  });

  const saved = join(folder, 'saved.qcow2');
  await user.text('image', 'save', '--file', saved, 'disk');
  expect(readFileSync(saved).equals(readFileSync(disk))).toBe(true);

  await user.text('image', 'set', '--property', 'os_distro=debian', '--tag', 'second', '--name', 'debian', 'disk');
  await user.text('image', 'unset', '--property', 'hw_disk_bus', '--tag', 'first', 'debian');
  const changed = await user.json<Image>('image', 'show', 'debian');
  expect(changed).toMatchObject({ tags: ['second'], properties: { os_distro: 'debian' } });
  expect(changed.properties).not.toHaveProperty('hw_disk_bus');

  await user.text('image', 'set', '--deactivate', 'debian');
  await expect(user.text('image', 'save', '--file', saved, 'debian')).rejects.toThrow(/Unable to download image/);
  await user.text('image', 'set', '--activate', 'debian');

  await user.text('image', 'set', '--protected', 'debian');
  await expect(user.text('image', 'delete', 'debian')).rejects.toThrow(/is protected and cannot be deleted/);
  await user.text('image', 'set', '--unprotected', 'debian');
  await user.text('image', 'delete', 'debian');
  await expect(user.text('image', 'show', 'debian')).rejects.toThrow(/No Image found for debian/);
});

it('the openstack client imports an image', async () => {
  const disk = join(folder, 'imported');
  writeFileSync(disk, 'imported data');
  const create = ['image', 'create', '--disk-format', 'raw', '--container-format', 'bare', '--file', disk];
  await user.text(...create, '--import', 'imported');
  const { properties, ...image } = await user.json<Image>('image', 'show', 'imported');
  expect(image).toMatchObject({ status: 'active', size: 13 });
  expect(properties).toMatchObject({ stores: 'aerostat', os_glance_failed_import: '' });
  await user.text('image', 'delete', 'imported');
});

it('the openstack client shows each project what is public, offered or its own', async () => {
  for (const name of ['a', 'b', 'c']) await user.text('image', 'create', name);
  expect(await names(user, '--limit', '2')).toEqual(['b', 'c']);
  expect(await names(user)).toEqual(['a', 'b', 'c']);
  expect(await names(other)).toEqual([]);

  await expect(user.text('image', 'set', '--public', 'a')).rejects.toThrow(/publicize_image/);
  await admin.text('image', 'set', '--public', 'a');
  expect(await names(other)).toEqual(['a']);
  expect(await names(other, '--public')).toEqual(['a']);

  const { id } = await user.json<Image>('image', 'show', 'b');
  const project = (await admin.json<{ id: string }>('project', 'show', 'guest')).id;
  await user.text('image', 'add', 'project', 'b', project);
  expect(await names(other, '--shared', '--member-status', 'pending')).toEqual(['b']);
  await other.text('image', 'set', '--accept', id);
  expect(await names(other)).toEqual(['a', 'b']);
  await user.text('image', 'remove', 'project', 'b', project);
  expect(await names(other)).toEqual(['a']);

  await user.text('image', 'set', '--community', 'c');
  expect(await names(other)).toEqual(['a']);
  expect(await names(other, '--community')).toEqual(['c']);
  await user.text('image', 'set', '--hidden', 'c');
  expect(await names(user)).toEqual(['a', 'b']);
  expect(await names(user, '--hidden')).toEqual(['c']);
});

it('the openstack client says why an image is refused', async () => {
  const base = join(folder, 'base.qcow2');
  const overlay = join(folder, 'overlay.qcow2');
  execFileSync('/usr/bin/qemu-img', ['create', '-q', '-f', 'qcow2', base, '1M']);
  execFileSync('/usr/bin/qemu-img', ['create', '-q', '-f', 'qcow2', '-b', base, '-F', 'qcow2', overlay]);
  const create = ['image', 'create', '--container-format', 'bare', '--file', overlay];
  await expect(user.text(...create, '--disk-format', 'qcow2', 'overlay')).rejects.toThrow(/415|backing file/);
  await expect(user.text(...create, '--disk-format', 'raw', 'disguised')).rejects.toThrow(/415|does not match/);
  const text = join(folder, 'text');
  writeFileSync(text, 'no disk at all');
  const wrong = ['image', 'create', '--container-format', 'bare', '--disk-format', 'qcow2', '--file', text, 'text'];
  await expect(user.text(...wrong)).rejects.toThrow(/415|does not match/);
});
