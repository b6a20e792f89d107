import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type BootedGuest, bootGuest } from './boot-guest.ts';
import { buildGuest, type Guest } from './build-guest.ts';
import { configDrive } from './config-drive.ts';

const TEST_TIMEOUT_MS = 120_000;
const DISK_BYTES_MAX = 20 * 1024 * 1024;

const META_DATA = {
  uuid: '8d1f2c5e-0000-4000-8000-000000000001',
  hostname: 'web-1.example',
  meta: { hostname: 'not this one' },
  public_keys: { 'laptop {1}': 'ssh-ed25519 AAAAC3 ada@laptop\n', desk: 'ssh-rsa AAAAB3 ada@desk' },
};
const DOCUMENTS = {
  'openstack/latest/meta_data.json': JSON.stringify(META_DATA, null, 1),
  'openstack/latest/vendor_data.json': '{"vendor": 1}',
  'openstack/latest/network_data.json': '{"links": []}',
  'openstack/latest/user_data': '#!/bin/bash\necho "user data of $(hostname)"\nexit 7\n',
  'ec2/latest/meta-data.json': '{"instance-id": "i-00000001"}',
  'latest/meta-data/instance-id': 'i-00000001',
};

let folder: string;
let guest: Guest;
let booted: BootedGuest | undefined;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'guest-test-'));
  guest = await buildGuest();
}, TEST_TIMEOUT_MS);
afterEach(async () => {
  await booted?.stop();
  booted = undefined;
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('buildGuest', { timeout: TEST_TIMEOUT_MS }, () => {
  it('builds once for two callers at a time, and leaves nothing else behind', async () => {
    const cacheDir = join(folder, 'cache');
    const [one, two] = await Promise.all([buildGuest({ cacheDir }), buildGuest({ cacheDir })]);
    expect(one).toEqual(two);
    expect(await readdir(cacheDir)).toHaveLength(1);
    const { ino, size } = await stat(one.disk);
    expect(size).toBeLessThan(DISK_BYTES_MAX);
    expect((await stat((await buildGuest({ cacheDir })).disk)).ino).toBe(ino);
  });
});

describe('the guest', { timeout: TEST_TIMEOUT_MS }, () => {
  it('boots by -kernel without any network from a config drive, and obeys the power button', async () => {
    booted = await bootGuest(guest, 'kernel', [
      ...['-drive', `if=none,id=config,format=raw,readonly=on,file=${await configDrive(folder, DOCUMENTS)}`],
      ...['-device', 'virtio-blk-pci,drive=config'],
    ]);
    await booted.waitFor(/^@@ [\d.]+ ready hostname=web-1\.example boots=1$/m);
    expectMetadata(booted.console, 'config-drive');
    const keys = await booted.run('cat /root/.ssh/authorized_keys');
    expect(keys).toEqual({ output: 'ssh-ed25519 AAAAC3 ada@laptop\nssh-rsa AAAAB3 ada@desk\n', exitCode: 0 });
    expect(await booted.pressPowerButton()).toBe(0);
    expect(booted.console).toMatch(/^@@ [\d.]+ poweroff$/m);
  });

  it('boots from its disk with a config drive in a SCSI CD drive, and keeps /data over a reboot', async () => {
    booted = await bootGuest(guest, 'disk', [
      ...['-drive', `if=none,id=config,format=raw,readonly=on,file=${await configDrive(folder, DOCUMENTS)}`],
      ...['-device', 'virtio-scsi-pci', '-device', 'scsi-cd,drive=config'],
    ]);
    await booted.waitFor(/^@@ [\d.]+ ready hostname=web-1\.example boots=1$/m);
    expectMetadata(booted.console, 'config-drive');
    await booted.run('echo kept >/data/note; (usleep 100000; reboot) &');
    await booted.waitFor(/^@@ [\d.]+ ready hostname=web-1\.example boots=2$/m);
    expect((await booted.run('cat /data/note')).output).toBe('kept\n');
  });

  it('takes its address by DHCP and its metadata from the network, and serves', async () => {
    const service = await metadataService();
    const [web, echo] = await Promise.all([freePort(), freePort()]);
    const forwards = `hostfwd=tcp:127.0.0.1:${web}-:80,hostfwd=tcp:127.0.0.1:${echo}-:7`;
    const relay = `guestfwd=tcp:169.254.169.254:80-cmd:busybox nc 127.0.0.1 ${(service.address() as AddressInfo).port}`;
    try {
      booted = await bootGuest(guest, 'kernel', [
        ...['-netdev', `user,id=net,net=169.254.169.0/24,${forwards},${relay}`],
        ...['-device', 'virtio-net-pci,netdev=net'],
      ]);
      await booted.waitFor(/^@@ [\d.]+ ready hostname=web-1\.example boots=1$/m);
      expect(booted.console).toMatch(
        /^@@ [\d.]+ dhcp eth0 169\.254\.169\.15\/24 router=169\.254\.169\.2 mtu= hostname=/m,
      );
      expectMetadata(booted.console, 'network');
      const get = (path: string) => fetch(`http://127.0.0.1:${web}/${path}`).then((answer) => answer.text());
      expect(await get('')).toBe('hello from web-1.example\n');
      expect(JSON.parse(await get('meta_data.json'))).toEqual(META_DATA);
      expect(await get('user_data')).toBe(DOCUMENTS['openstack/latest/user_data']);
      expect(await get('cgi-bin/info')).toContain('hostname=web-1.example\nboots=1\n');
      expect(await echoed(echo, 'over and out')).toBe('over and out');
    } finally {
      service.closeAllConnections();
      service.close();
    }
  });

  it('follows the routes and the MTU of a lease rather than its router', async () => {
    booted = await bootGuest(guest, 'kernel', ['-netdev', 'user,id=net', '-device', 'virtio-net-pci,netdev=net']);
    await booted.waitFor(/^@@ [\d.]+ dhcp eth0 10\.0\.2\.15/m);
    const lease = 'interface=eth0 ip=10.1.0.9 mask=24 router=10.1.0.1 mtu=1442 hostname=leased dns="10.1.0.2 10.1.0.3"';
    const routes = 'staticroutes="169.254.169.254/32 10.1.0.2 192.0.2.0/24 0.0.0.0 0.0.0.0/0 10.1.0.254"';
    await booted.run(`${lease} ${routes} /lib/guest/dhcp bound`);
    await booted.waitFor(/^@@ [\d.]+ dhcp eth0 10\.1\.0\.9\/24 router=10\.1\.0\.1 mtu=1442 hostname=leased$/m);
    const { output } = await booted.run('ip route; cat /sys/class/net/eth0/mtu /etc/resolv.conf; hostname');
    expect(output.replaceAll(/ +\n/g, '\n').split('\n')).toEqual([
      'default via 10.1.0.254 dev eth0  metric 2',
      '10.1.0.0/24 dev eth0 scope link  src 10.1.0.9',
      '169.254.169.254 via 10.1.0.2 dev eth0  metric 2',
      '192.0.2.0/24 dev eth0 scope link  metric 2',
      ...['1442', 'nameserver 10.1.0.2', 'nameserver 10.1.0.3', 'leased', ''],
    ]);
  });

  it('becomes ready with nothing but itself', async () => {
    booted = await bootGuest(guest, 'kernel');
    await booted.waitFor(/^@@ [\d.]+ metadata none\n@@ [\d.]+ ready hostname=guest boots=1$/m);
    // The console log stays clean until someone presses Enter there.
    expect(booted.console.split('\n').filter((line) => line !== '' && !line.startsWith('@@ '))).toEqual([]);
  });
});

function expectMetadata(console: string, source: string): void {
  const marked = console.split('\n').map((line) => line.replace(/^@@ [\d.]+ /, '@@ '));
  expect(marked).toContain(`@@ metadata ${source} ok uuid=${META_DATA.uuid}`);
  expect(marked).toContain('@@ vendor_data.json {"vendor": 1}');
  expect(marked).toContain('@@ network_data.json {"links": []}');
  expect(marked).toContain('@@ instance-id i-00000001');
  expect(marked).toContain('user data of web-1.example');
  expect(marked).toContain('@@ userdata-exit 7');
}

async function metadataService(): Promise<Server> {
  const documents: Record<string, string> = DOCUMENTS;
  const server = createServer((request, response) => {
    const document = documents[request.url?.slice(1) ?? ''];
    response.writeHead(document === undefined ? 404 : 200).end(document);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function echoed(port: number, words: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(words));
    socket.setEncoding('utf8').on('data', (part: string) => {
      text += part;
      if (text.length >= words.length) socket.destroy();
    });
    socket.on('close', () => resolve(text)).on('error', reject);
  });
}
