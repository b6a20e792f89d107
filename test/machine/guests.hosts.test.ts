import { execFileSync } from 'node:child_process';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { identify } from '../../runner/host/processes.ts';
import type { NetworkSpec, PortSpec, SecurityGroupSpec } from '../../shared/specs/network.ts';
import type { ServerSpec } from '../../shared/specs/server.ts';
import { buildGuest, type Guest } from '../guest/build-guest.ts';
import { runInGuest } from '../guest/guest-shell.ts';
import { MachineInNamespace, type ServeOptions, teardownIn } from './machine-in-namespace.ts';
import { eventually, Namespace, temporaryFolder } from './namespaces.ts';
import { groupOf, imageOf, networkOf, portOf, ruleOf, serverOf } from './specs.ts';

/* One guest's life in real QEMU, from its first boot to the teardown of its machine. The tests follow one another. */

const MARK = 'aegst';
/** What should answer may take its time on a loaded machine; silence is waited for only briefly. */
const CURL = 'curl -sS -m 30';
const CURL_BRIEFLY = 'curl -sS -m 2';
const GATEWAY = '10.20.0.1';
const ADDRESS = '10.20.0.5';
const KERNEL_COMMAND_LINE =
  'console=ttyS0 quiet panic=1 net.ifnames=0 nokaslr mitigations=off tsc=reliable no_timer_check';
const BOOT_MS = 60_000;

const folder = temporaryFolder();
let before: string;
let built: Guest;
let options: ServeOptions;
let host: Namespace;
let machine: MachineInNamespace;
let network: NetworkSpec;
let group: SecurityGroupSpec;
let port: PortSpec;
let server: ServerSpec;
let generation = 1;

beforeAll(async () => {
  built = await buildGuest();
  host = await Namespace.make();
  before = await traces();
  network = networkOf('10.20.0.0/24');
  group = groupOf();
  const image = imageOf(built.disk, 'qcow2');
  const kernel = imageOf(built.kernel, 'aki');
  const ramdisk = imageOf(built.ramdisk, 'ari');
  server = serverOf(image, { kernel, ramdisk, kernel_command_line: KERNEL_COMMAND_LINE });
  port = portOf(network, 5, { server_id: server.id, security_groups: [group.id], hostname: 'leased' });
  server = { ...server, ports: [port.id] };
  server.metadata.user_data = Buffer.from('#!/bin/sh\necho user data of $(hostname) ran\n').toString('base64');
  options = {
    stateDir: join(folder.path, 'a-state-folder-with-a-name-that-is-too-long-for-the-paths-of-unix-sockets'),
    mark: MARK,
    images: { [image.id]: built.disk, [kernel.id]: built.kernel, [ramdisk.id]: built.ramdisk },
    adminShell: true,
    powerdownGrace_ms: 30_000,
    bootId: 'boot-1',
  };
  machine = await MachineInNamespace.open(host.name, options);
});

afterAll(async () => {
  await machine.kill();
  await teardownIn(host.name, options);
  await host.close();
  folder.remove();
});

/** Everything that a machine could leave behind. */
const traces = async () => {
  const inside = await host.sh(`ip -br link; ip -br addr; ip rule; ip -6 rule; ip route show table all; nft list ruleset
    cat /proc/sys/net/ipv4/ip_forward /proc/sys/net/bridge/bridge-nf-call-iptables /proc/sys/net/ipv4/tcp_fwmark_accept
    pgrep -af 'guest=${MARK}-|/run/aerostat/${MARK}-[0-9a-f]' | grep -v pgrep || true`);
  const outside = execFileSync('sh', [
    '-c',
    `find /sys/fs/cgroup -name '${MARK}-*'; ls /run/aerostat 2>/dev/null | grep '^${MARK}-' || true`,
  ]).toString();
  return inside + outside;
};
const guestFolder = () => join(options.stateDir, 'guests', server.id);
const record = () => JSON.parse(readFileSync(join(guestFolder(), 'guest.json'), 'utf8'));
const pidOf = (): number => record().process.pid;
const apply = (change: Partial<ServerSpec> = {}) => {
  server = { ...server, ...change };
  return machine.apply('server', server.id, server, generation);
};
const applyNew = (change: Partial<ServerSpec> = {}) => {
  generation++;
  return apply(change);
};
const console_ = async (length_lines: number | null = null): Promise<string> => {
  const answer = machine.call<{ output: string }>({
    method: 'query',
    operation: 'console',
    id: server.id,
    args: { length_lines },
  });
  return (await answer).output;
};
/** The socket's path is longer than the kernel takes: QEMU's own folder is a shorter way there. */
const inGuest = (command: string) =>
  runInGuest(`/proc/${pidOf()}/cwd/run/ttyS1`, command, { timeout_ms: BOOT_MS }).then((result) => result.output.trim());
const booted = (boots: number) =>
  eventually(
    `boot ${boots}`,
    async () => {
      const text = await console_();
      return text.includes(`ready hostname=`) && text.includes(`boots=${boots}`) && text;
    },
    BOOT_MS,
  );
const reboot = (type: 'SOFT' | 'HARD', epoch = server.epoch) =>
  machine.call({ method: 'run', operation: 'reboot', id: server.id, epoch, args: { type } });
const processesOfGuest = () =>
  execFileSync('pgrep', ['-f', `^qemu-system-x86_64 -name guest=${MARK}-${server.id}`])
    .toString()
    .trim()
    .split('\n');

describe('a guest', () => {
  it('boots with its lease, its metadata and its user data', async () => {
    await machine.apply('network', network.id, network);
    await machine.apply('security-group', group.id, group);
    await machine.apply('port', port.id, port);
    expect(await apply()).toEqual({ state: 'running' });
    const text = await booted(1);
    expect(text).toContain(`dhcp eth0 ${ADDRESS}/24 router=${GATEWAY} mtu=1450 hostname=leased`);
    expect(text).toContain(`metadata network ok uuid=${server.id}`);
    expect(text).toContain('user data of guest.example ran');
    expect(text).toContain('vendor_data.json {"vendor":"aerostat"}');
    expect(text).toMatch(/instance-id i-[0-9a-f]{8}/);
    expect(await console_(1)).toMatch(/^@@ .* ready hostname=guest\.example boots=1$/);
    expect(await inGuest('cat /root/.ssh/authorized_keys')).toBe('ssh-ed25519 AAAAC3Nz test');
    expect(await machine.observe('server', server.id)).toMatchObject({ state: 'running' });
  });

  it('runs without root, without new privileges, in a sandbox, within limits', async () => {
    const status = readFileSync(`/proc/${pidOf()}/status`, 'utf8');
    const field = (name: string) => new RegExp(`^${name}:[ \\t]*(.*)$`, 'm').exec(status)?.[1]?.split('\t') ?? [];
    expect(field('Uid')).not.toContain('0');
    expect(field('Gid')).not.toContain('0');
    expect(field('Groups').join('').trim()).toBe('');
    expect(field('NoNewPrivs')).toEqual(['1']);
    expect(field('Seccomp')).toEqual(['2']);
    expect(field('CapEff')).toEqual(['0000000000000000']);
    const groups = readFileSync(`/proc/${pidOf()}/cgroup`, 'utf8');
    for (const controller of ['cpu', 'memory', 'pids']) {
      expect(groups).toMatch(new RegExp(`:${controller}:/${MARK}-\\d+/${server.id}`));
    }
    const path = /:cpu:(\S+)/.exec(groups)?.[1];
    expect(readFileSync(`/sys/fs/cgroup/cpu${path}/cpu.cfs_quota_us`, 'utf8').trim()).toBe('150000');
    expect(readFileSync(`/sys/fs/cgroup/memory${path}/memory.limit_in_bytes`, 'utf8').trim()).toBe(
      String(512 * 1024 ** 2),
    );
  });

  it('is reached only where a rule says so', async () => {
    expect(await host.does(`${CURL_BRIEFLY} http://${ADDRESS}/`)).toBe(false);
    const web = ruleOf({ protocol: 6, port_range_min: 80, port_range_max: 80 });
    await machine.apply('security-group', group.id, { ...group, rules: [...group.rules, web] }, 2);
    expect(await host.sh(`${CURL} http://${ADDRESS}/`)).toBe('hello from guest.example\n');
  });

  it('cannot pretend to be another', async () => {
    const ping = `ping -c1 -W2 ${GATEWAY} >/dev/null 2>&1; echo $?`;
    expect(await inGuest(ping)).toBe('0');
    expect(
      await inGuest(`ip addr add 10.20.0.9/24 dev eth0; ping -c1 -W2 -I 10.20.0.9 ${GATEWAY} >/dev/null 2>&1; echo $?`),
    ).toBe('1');
    const liar = `ip addr del 10.20.0.9/24 dev eth0; ip link set eth0 address 02:00:00:00:00:01; ${ping}; ip link set eth0 address ${port.mac_address}`;
    expect(await inGuest(liar)).toBe('1');
    expect(await inGuest(ping)).toBe('0');
  });

  it('takes a second port while it runs, and lets go of it', async () => {
    const second = portOf(network, 6, { server_id: server.id, security_groups: [group.id] });
    await machine.apply('port', second.id, second);
    expect(await applyNew({ ports: [port.id, second.id] })).toMatchObject({ state: 'running' });
    await eventually('its lease', async () => (await console_()).includes('dhcp eth1 10.20.0.6/24'), BOOT_MS);
    expect(await applyNew({ ports: [port.id] })).toMatchObject({ state: 'running' });
    await eventually('its end', async () => (await console_()).includes('hotplug remove eth1'));
    await machine.remove('port', second.id);
  });

  it('outlives its runner, and is adopted by the next', async () => {
    const pid = pidOf();
    await machine.kill();
    expect(await host.sh(`${CURL} http://${ADDRESS}/`)).toBe('hello from guest.example\n');
    machine = await MachineInNamespace.open(host.name, options);
    expect(await machine.observe('server', server.id)).toMatchObject({ state: 'running' });
    expect(await apply()).toMatchObject({ state: 'running' });
    expect(pidOf()).toBe(pid);
    expect(processesOfGuest()).toEqual([String(pid)]);
    // The metadata service listens anew, on another port.
    const ask = 'timeout 3 wget -q -O - http://169.254.169.254/latest/meta-data/local-ipv4';
    expect(await inGuest(ask)).toBe(ADDRESS);
  });

  it('is one guest, whoever else tries to start it', async () => {
    const pid = pidOf();
    const second = MachineInNamespace.open(host.name, options);
    const other = await second;
    await expect(other.apply('server', server.id, server, generation)).rejects.toThrow('The guest runs, but');
    await other.kill();
    const again = await Promise.all([apply(), apply(), apply()]);
    expect(again.map((outcome) => outcome.state)).toEqual(['running', 'running', 'running']);
    expect(processesOfGuest()).toEqual([String(pid)]);
  });

  it('that crashes is reported, and stays down until something new is wanted', async () => {
    process.kill(pidOf(), 'SIGKILL');
    await eventually('the news', async () => machine.changes.includes(`server/${server.id}`));
    expect(await machine.observe('server', server.id)).toEqual({ state: 'stopped', cause: 'crash' });
    expect(await apply()).toEqual({ state: 'stopped', cause: 'crash' });
    expect(await applyNew()).toEqual({ state: 'running' });
  });

  it('that crashes while no runner looks is a crash all the same, and comes back after a boot of the machine', async () => {
    const pid = pidOf();
    await machine.kill();
    process.kill(pid, 'SIGKILL');
    await eventually('its end', async () => (await identify(pid)) === null);
    machine = await MachineInNamespace.open(host.name, options);
    expect(await apply()).toEqual({ state: 'stopped', cause: 'crash' });
    await machine.kill();
    options = { ...options, bootId: 'boot-2' };
    machine = await MachineInNamespace.open(host.name, options);
    expect(await apply()).toEqual({ state: 'running' });
    await booted(2);
  });

  it('reboots softly in the same process', async () => {
    const pid = pidOf();
    await reboot('SOFT');
    expect(pidOf()).toBe(pid);
    await booted(3);
    expect(await console_()).toContain('poweroff');
  });

  it('that shuts itself down while no runner looks has not crashed', async () => {
    await machine.kill();
    await inGuest('sync; poweroff').catch(() => '');
    machine = await MachineInNamespace.open(host.name, options);
    const outcome = await eventually('its end', async () => {
      const seen = await machine.observe('server', server.id);
      return seen?.state === 'stopped' && seen;
    });
    expect(outcome).toEqual({ state: 'stopped', cause: 'guest' });
    expect(await apply()).toEqual({ state: 'stopped', cause: 'guest' });
  });

  it('reboots hard into a new process, but not for another epoch', async () => {
    expect(await applyNew()).toEqual({ state: 'running' });
    const pid = pidOf();
    await reboot('HARD');
    expect(pidOf()).not.toBe(pid);
    expect(await identify(pid)).toBe(null);
    await expect(reboot('HARD', 7)).rejects.toThrow('epoch 7');
    await booted(4);
  });

  it('turns off by its power button, and refuses an older epoch', async () => {
    const pid = pidOf();
    expect(await applyNew({ power: 'off', epoch: 2 })).toEqual({ state: 'stopped' });
    expect(await identify(pid)).toBe(null);
    expect(await machine.observe('server', server.id)).toEqual({ state: 'stopped' });
    expect(await console_()).toContain('poweroff');
    generation++;
    const older = { ...server, power: 'on' as const, epoch: 1 };
    await expect(machine.apply('server', server.id, older, generation)).rejects.toThrow('Epoch 1');
  });

  it('has a console that is bounded on the disk, and none of whose end is lost', async () => {
    const path = join(guestFolder(), 'console.log');
    await applyNew({ power: 'on' });
    writeFileSync(path, 'x'.repeat(99).concat('\n').repeat(50_000), { flag: 'a' });
    writeFileSync(path, 'the last words\n', { flag: 'a' });
    await eventually('the bound', async () => statSync(path).blocks * 512 < 2 * 1024 ** 2);
    const text = await console_();
    expect(text.length).toBeLessThanOrEqual(1024 ** 2);
    expect(text).toContain('the last words');
    // What QEMU writes from now on comes after it.
    await eventually(
      'the guest',
      async () => / init$/m.test((await console_()).split('the last words')[1] ?? ''),
      BOOT_MS,
    );
  });

  it('is gone with all its files when it is removed', async () => {
    const pid = pidOf();
    await machine.remove('server', server.id);
    expect(await identify(pid)).toBe(null);
    expect(statSync(guestFolder(), { throwIfNoEntry: false })).toBe(undefined);
    expect(await machine.observe('server', server.id)).toBe(null);
    await machine.remove('server', server.id);
  });

  it('boots from its disk with a config drive and no network at all', async () => {
    const offline = serverOf(server.image, { config_drive: true });
    offline.metadata.user_data = Buffer.from('#!/bin/sh\necho config drive user data\n').toString('base64');
    server = offline;
    expect(await apply()).toEqual({ state: 'running' });
    const text = await booted(1);
    expect(text).toContain(`metadata config-drive ok uuid=${server.id}`);
    expect(text).toContain('config drive user data');
    expect(text).toMatch(/instance-id i-[0-9a-f]{8}/);
  });

  it('leaves a machine as it was, when that is taken down', async () => {
    await machine.kill();
    await teardownIn(host.name, options);
    expect(await traces()).toBe(before);
    // What was taken down is no crash to the next runner.
    machine = await MachineInNamespace.open(host.name, options);
    expect(await machine.observe('server', server.id)).toBe(null);
    expect(await apply()).toEqual({ state: 'running' });
  });
});
