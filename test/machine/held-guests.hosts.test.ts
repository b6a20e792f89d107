import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statfsSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { identify } from '../../runner/host/processes.ts';
import { QmpClient } from '../../runner/host/qmp.ts';
import { run } from '../../runner/host/run.ts';
import { until } from '../../runner/host/wait.ts';
import type { NetworkSpec, PortSpec, SecurityGroupSpec } from '../../shared/specs/network.ts';
import type { ImageRef, ServerSpec } from '../../shared/specs/server.ts';
import { buildGuest, type Guest } from '../guest/build-guest.ts';
import { runInGuest } from '../guest/guest-shell.ts';
import { KERNEL_ARGUMENTS } from '../guest/kernel.ts';
import { MachineInNamespace, type ServeOptions, teardownIn } from './machine-in-namespace.ts';
import { eventually, Namespace } from './namespaces.ts';
import { groupOf, imageOf, networkOf, portOf, serverOf } from './specs.ts';

/* A guest in real QEMU that is paused, suspended, rescued and rebuilt. The tests follow one another. */

const MARK = 'aehld';
const BOOT_MS = 60_000;
const DISK_MIB = 700;

let disk: string;
let built: Guest;
let options: ServeOptions;
let host: Namespace;
let machine: MachineInNamespace;
let network: NetworkSpec;
let group: SecurityGroupSpec;
let port: PortSpec;
let server: ServerSpec;
let own: { image: ImageRef; kernel: ImageRef; ramdisk: ImageRef; kernel_command_line: string };
let generation = 1;

beforeAll(async () => {
  disk = mkdtempSync(join(tmpdir(), 'aerostat-held-'));
  await run('mount', ['-t', 'tmpfs', '-o', `size=${DISK_MIB}m,mode=700`, 'aerostat-held', disk]);
  built = await buildGuest();
  host = await Namespace.make();
  network = networkOf('10.21.0.0/24');
  group = groupOf();
  const [image, kernel, ramdisk] = [
    imageOf(built.disk, 'qcow2'),
    imageOf(built.kernel, 'aki'),
    imageOf(built.ramdisk, 'ari'),
  ];
  own = { image, kernel, ramdisk, kernel_command_line: KERNEL_ARGUMENTS };
  server = serverOf(image, own);
  port = portOf(network, 5, { server_id: server.id, security_groups: [group.id] });
  server = { ...server, ports: [port.id] };
  const large = join(disk, 'large.qcow2');
  await run('qemu-img', ['create', '-q', '-f', 'qcow2', large, '2G']);
  tooLarge = imageOf(large, 'qcow2');
  options = {
    stateDir: join(disk, 'state'),
    mark: MARK,
    images: { [image.id]: built.disk, [kernel.id]: built.kernel, [ramdisk.id]: built.ramdisk, [tooLarge.id]: large },
    adminShell: true,
    powerdownGrace_ms: 30_000,
    bootId: 'boot-1',
  };
  machine = await MachineInNamespace.open(host.name, options);
  await machine.apply('network', network.id, network);
  await machine.apply('security-group', group.id, group);
  await machine.apply('port', port.id, port);
  await apply();
  await boots(1);
});
afterAll(async () => {
  rmSync(ballast(), { force: true });
  await machine?.kill();
  await teardownIn(host.name, options);
  await host.close();
  await run('umount', ['--lazy', disk]);
  rmSync(disk, { recursive: true, force: true });
});

let tooLarge: ImageRef;
const guestFile = (name: string) => join(options.stateDir, 'guests', server.id, name);
const record = () => JSON.parse(readFileSync(guestFile('guest.json'), 'utf8'));
const pidOf = (): number => record().process.pid;
const apply = (change: Partial<ServerSpec> = {}) => {
  server = { ...server, ...change };
  return machine.apply('server', server.id, server, generation);
};
const applyNew = (change: Partial<ServerSpec> = {}) => {
  generation++;
  return apply(change);
};
const inGuest = (command: string) =>
  runInGuest(`/proc/${pidOf()}/cwd/run/ttyS1`, command, { timeout_ms: BOOT_MS }).then((result) => result.output.trim());
const console_ = async (): Promise<string> =>
  (await machine.call<{ output: string }>({ method: 'query', operation: 'console', id: server.id, args: {} })).output;
/** Waits for the boot of a disk that has seen so many. */
const boots = (count: number) =>
  eventually(
    `boot ${count}`,
    async () => new RegExp(`ready hostname=\\S+ boots=${count}$`, 'm').test(await console_()),
    BOOT_MS,
  );
const uptime_s = async () => Number((await inGuest('cut -d" " -f1 /proc/uptime')) || Number.NaN);
const processes = () => {
  try {
    return execFileSync('pgrep', ['-f', `^qemu-system-x86_64 -name guest=${MARK}-${server.id}`])
      .toString()
      .trim();
  } catch {
    return '';
  }
};
const reopen = async (bootId = options.bootId ?? '') => {
  options = { ...options, bootId };
  machine = await MachineInNamespace.open(host.name, options);
};
const ballast = () => join(disk, 'ballast');
const PING = 'ping -c1 -W2 10.21.0.1 >/dev/null 2>&1; echo $?';

describe('a guest that is paused', () => {
  it('stands still in its process, and goes on where it was', async () => {
    const pid = pidOf();
    const before_s = await uptime_s();
    expect(await applyNew({ power: 'paused' })).toEqual({ state: 'paused' });
    expect(await machine.observe('server', server.id)).toEqual({ state: 'paused' });
    expect(await host.does('ping -c1 -W1 10.21.0.5')).toBe(false);
    await machine.kill();
    await reopen();
    expect(await apply()).toEqual({ state: 'paused' });
    expect(await applyNew({ power: 'on' })).toMatchObject({ state: 'running' });
    expect(pidOf()).toBe(pid);
    expect(await uptime_s()).toBeGreaterThan(before_s);
    expect(await inGuest(PING)).toBe('0');
  });

  it('takes an interrupt that no kernel masks', async () => {
    await machine.call({ method: 'run', operation: 'crash-dump', id: server.id, args: {} });
    await eventually('its word', async () => /NMI/.test(await inGuest('dmesg')));
  });
});

describe('a guest that is suspended', () => {
  it('runs on where the disk is full', async () => {
    await inGuest('echo kept > /tmp/mark');
    const { bavail, bsize } = statfsSync(disk);
    writeFileSync(ballast(), Buffer.alloc(bavail * bsize - 8 * 1024 ** 2));
    const outcome = await applyNew({ power: 'suspended' });
    expect(outcome).toMatchObject({
      state: 'running',
      fault: { message: expect.stringMatching(/^snapshot-save failed: /) },
    });
    rmSync(ballast());
    expect(await applyNew({ power: 'on' })).toMatchObject({ state: 'running' });
    expect(await inGuest('cat /tmp/mark')).toBe('kept');
  });

  it('is on the disk alone, through a boot of the machine, and wakes up with all it had', async () => {
    const pid = pidOf();
    expect(await applyNew({ power: 'suspended' })).toEqual({ state: 'suspended' });
    expect(await identify(pid)).toBe(null);
    expect(await machine.observe('server', server.id)).toEqual({ state: 'suspended' });
    await machine.kill();
    await reopen('boot-2');
    expect(await apply()).toEqual({ state: 'suspended' });
    expect(processes()).toBe('');
    expect(await applyNew({ power: 'on' })).toEqual({ state: 'running' });
    expect(await inGuest('cat /tmp/mark')).toBe('kept');
    expect(await inGuest(PING)).toBe('0');
    expect(execFileSync('qemu-img', ['snapshot', '-U', '-l', guestFile('disk.qcow2')]).toString()).toBe('');
  });

  it('wakes up as the machine it was, though ports came before and went since', async () => {
    const second = portOf(network, 6, { server_id: server.id, security_groups: [group.id] });
    const third = portOf(network, 7, { server_id: server.id, security_groups: [group.id] });
    for (const one of [second, third]) await machine.apply('port', one.id, one);
    await applyNew({ ports: [port.id, second.id] });
    await applyNew({ ports: [second.id] });
    expect(await applyNew({ power: 'suspended' })).toEqual({ state: 'suspended' });
    await applyNew({ ports: [third.id] });
    await machine.remove('port', second.id);
    expect(await applyNew({ power: 'on' })).toEqual({ state: 'running' });
    expect(await apply()).toMatchObject({ state: 'running' });
    expect(await machine.call({ method: 'list', kind: 'port' })).not.toContain(second.id);
    await eventually('its ports', async () => (await inGuest('cat /sys/class/net/eth*/address')) === third.mac_address);
    expect(await applyNew({ ports: [port.id] })).toMatchObject({ state: 'running' });
    await eventually('the lease', async () => (await inGuest(PING)) === '0', BOOT_MS);
    expect(await inGuest('cat /tmp/mark')).toBe('kept');
  });

  it('is saved by the next runner where the first was killed amid it', async () => {
    const monitor = await QmpClient.connect(guestFile('run/monitor2'));
    applyNew({ power: 'suspended' }).catch(() => {});
    const begun = async () => (await monitor.execute<unknown[]>('query-jobs').catch(() => ['over'])).length > 0;
    await until(begun, { timeout_ms: BOOT_MS, every_ms: 1 });
    await machine.kill();
    await reopen();
    await eventually('its end', async () => (await apply().catch(() => null))?.state === 'suspended', BOOT_MS);
    expect(processes()).toBe('');
    expect(await applyNew({ power: 'on' })).toEqual({ state: 'running' });
    expect(await inGuest('cat /tmp/mark')).toBe('kept');
  });

  it('starts from its disk where it is rebooted hard', async () => {
    expect(await applyNew({ power: 'suspended' })).toEqual({ state: 'suspended' });
    expect(await applyNew({ power: 'on' })).toEqual({ state: 'running' });
    await machine.call({ method: 'run', operation: 'reboot', id: server.id, epoch: 1, args: { type: 'HARD' } });
    await boots(2);
  });
});

it('has died when its process ends while it is paused', async () => {
  expect(await applyNew({ power: 'paused' })).toEqual({ state: 'paused' });
  machine.changes.length = 0;
  process.kill(pidOf(), 'SIGKILL');
  await eventually('the news', async () => machine.changes.includes(`server/${server.id}`));
  expect(await machine.observe('server', server.id)).toEqual({ state: 'stopped', cause: 'crash' });
  expect(await apply()).toEqual({ state: 'stopped', cause: 'crash' });
  expect(await applyNew({ power: 'on' })).toEqual({ state: 'running' });
  await boots(3);
});

describe('a copy of its disk', () => {
  const copy = (image_id: string) =>
    machine.call({ method: 'run', operation: 'snapshot', id: server.id, epoch: 1, args: { image_id } });
  const fresh = () => {
    const image_id = randomUUID();
    return { image_id, uploaded: join(options.stateDir, `uploaded-${image_id}`) };
  };
  const check = (path: string) =>
    JSON.parse(execFileSync('qemu-img', ['info', '--output=json', '-f', 'qcow2', path]).toString());
  const left = () => statSync(guestFile('snapshot.qcow2'), { throwIfNoEntry: false });

  it('is what the disk was when it began, and boots by itself', async () => {
    const { image_id, uploaded } = fresh();
    await inGuest('echo then > /data/then; sync');
    await copy(image_id);
    expect(check(uploaded)).toMatchObject({ 'virtual-size': 1024 ** 3 });
    expect(check(uploaded)['backing-filename']).toBe(undefined);
    expect(execFileSync('qemu-img', ['check', '-q', uploaded]).toString()).toBe('');
    expect(left()).toBe(undefined);
    expect(await inGuest('cat /data/then')).toBe('then');
    // It is the image of another guest, on the same machine.
    options.images[image_id] = uploaded;
    const image = { ...imageOf(uploaded, 'qcow2'), id: image_id };
    await machine.kill();
    await reopen();
    expect(await apply()).toMatchObject({ state: 'running' });
    expect(await applyNew({ image, disk_version: 2 })).toEqual({ state: 'running' });
    await boots(4);
    expect(await inGuest('cat /data/then')).toBe('then');
  });

  it('is made of a guest that is off, paused or suspended, too', async () => {
    for (const power of ['paused', 'suspended', 'off'] as const) {
      await applyNew({ power });
      const { image_id, uploaded } = fresh();
      await copy(image_id);
      expect(execFileSync('qemu-img', ['check', '-q', uploaded]).toString(), power).toBe('');
      rmSync(uploaded);
      expect(await applyNew({ power: 'on' })).toMatchObject({ state: 'running' });
    }
    await boots(5);
  });

  it('is sent again where the line was cut, and given up where it is refused', async () => {
    const { image_id, uploaded } = fresh();
    await machine.call({ method: 'faults', args: { uploadFaults: [{}] } });
    await copy(image_id);
    expect(check(uploaded)).toMatchObject({ 'virtual-size': 1024 ** 3 });
    rmSync(uploaded);
    await machine.call({ method: 'faults', args: { uploadFaults: [{ code: 413 }] } });
    await expect(copy(image_id)).rejects.toThrow('refused');
    expect(statSync(uploaded, { throwIfNoEntry: false })).toBe(undefined);
    expect(left()).toBe(undefined);
  });

  it('is begun anew by the next runner where the first was killed amid it', async () => {
    const { image_id, uploaded } = fresh();
    copy(image_id).catch(() => {});
    await eventually('its beginning', async () => (left()?.blocks ?? 0) > 1000);
    await machine.kill();
    await reopen();
    expect(await apply()).toMatchObject({ state: 'running' });
    await copy(image_id);
    expect(execFileSync('qemu-img', ['check', '-q', uploaded]).toString()).toBe('');
    rmSync(uploaded);
    expect(await inGuest('cat /data/then')).toBe('then');
  });

  it('fails where the disk is full, and the guest does not mind', async () => {
    const { bavail, bsize } = statfsSync(disk);
    writeFileSync(ballast(), Buffer.alloc(bavail * bsize - 8 * 1024 ** 2));
    await expect(copy(fresh().image_id)).rejects.toThrow(/blockdev-backup failed: No space left/);
    rmSync(ballast());
    expect(left()).toBe(undefined);
    expect(await inGuest('cat /data/then')).toBe('then');
  });
});

it('is rescued by another disk, its own beside it, and comes back to that', async () => {
  await expect(applyNew({ rescue: { ...own, image: tooLarge } })).rejects.toThrow("Flavor's disk is too small");
  expect(await applyNew({ rescue: own })).toEqual({ state: 'running' });
  await boots(1);
  await inGuest('mkdir -p /own; mount /dev/vdb2 /own; touch /own/mended; umount /own; sync');
  // A guest that goes off by itself meanwhile, and a runner that dies, change nothing of that.
  await machine.kill();
  await reopen();
  expect(await apply()).toMatchObject({ state: 'running' });
  expect(await applyNew({ rescue: null })).toEqual({ state: 'running' });
  await boots(6);
  expect(await inGuest('ls /data')).toContain('mended');
  expect(statSync(guestFile('rescue.qcow2'), { throwIfNoEntry: false })).toBe(undefined);
});

it('is rebuilt with a new disk, running or off', async () => {
  expect(await applyNew({ image: own.image, disk_version: 6 })).toEqual({ state: 'running' });
  await boots(1);
  expect(await inGuest('ls /data')).not.toContain('mended');
  await applyNew({ power: 'off' });
  expect(await applyNew({ disk_version: 7 })).toEqual({ state: 'stopped' });
  await applyNew({ power: 'on' });
  await boots(1);
});

it('fails a rebuild to an image that its flavor has no room for, and can be rebuilt again', async () => {
  await expect(applyNew({ disk_version: 8, image: tooLarge })).rejects.toThrow("Flavor's disk is too small");
  expect(await applyNew({ disk_version: 9, image: own.image })).toEqual({ state: 'running' });
  await boots(1);
});
