import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { loadSecrets } from '../home/secrets.ts';
import { until } from '../home/until.ts';
import { type Cloud, type RunnerProcess, startCloud } from './cloud.ts';
import { buildGuest } from './guest/build-guest.ts';
import { KERNEL_ARGUMENTS } from './guest/kernel.ts';
import { type Machine, openMachine } from './machine.ts';
import { openstackCli } from './openstack-cli.ts';

const RUNNER_MAIN = join(import.meta.dirname, '../runner/main.ts');
const CONSOLE_TIMEOUT_MS = 120_000;

let cloud: Cloud;
let machine: Machine;
let runner: RunnerProcess | undefined;
let guest: Awaited<ReturnType<typeof buildGuest>>;

beforeAll(async () => {
  guest = await buildGuest();
  cloud = await startCloud();
  machine = await openMachine({ port: Number(new URL(cloud.url).port) });
  runner = await cloud.runners({ hypervisor: 'qemu', netns: machine.netns, edgeUrl: machine.edgeUrl });
});
afterAll(async () => {
  await runner?.kill('SIGTERM');
  if (runner) await machine.run(process.execPath, [RUNNER_MAIN, 'teardown', '--state', runner.stateDir]);
  await cloud?.stop();
  await machine?.close();
});

interface Shown {
  id: string;
  status: string;
  addresses: Record<string, string[]>;
}

it('leads from a new project to a guest and back, by the openstack client alone', async () => {
  const admin = openstackCli(cloud, {
    user: 'admin',
    password: loadSecrets(cloud.paths.secrets).adminPassword,
    project: 'admin',
  });

  // The operator: a project, a user, a shared network, a flavor.
  await admin.text('project', 'create', 'apollo');
  await admin.text('user', 'create', '--project', 'apollo', '--password', 'moon-1969', 'neil');
  await admin.text('role', 'add', '--project', 'apollo', '--user', 'neil', 'member');
  await admin.text('network', 'create', '--share', 'common');
  await admin.text('subnet', 'create', '--network', 'common', '--subnet-range', '10.79.0.0/24', 'common-v4');
  await admin.text('flavor', 'create', '--ram', '192', '--vcpus', '1', '--disk', '1', 'tiny');

  // The user: images, a key, a rule, a server.
  const neil = openstackCli(cloud, { user: 'neil', password: 'moon-1969', project: 'apollo' });
  const image = async (name: string, file: string, format: string, container: string, ...properties: string[]) =>
    (
      await neil.json<{ id: string }>(
        'image',
        'create',
        '--file',
        file,
        '--disk-format',
        format,
        '--container-format',
        container,
        ...properties,
        name,
      )
    ).id;
  const kernel = await image('kernel', guest.kernel, 'aki', 'aki');
  const ramdisk = await image('ramdisk', guest.ramdisk, 'ari', 'ari');
  const direct = [
    '--property',
    `kernel_id=${kernel}`,
    '--property',
    `ramdisk_id=${ramdisk}`,
    '--property',
    `os_command_line=${KERNEL_ARGUMENTS}`,
  ];
  await image('guest', guest.disk, 'qcow2', 'bare', ...direct);
  const keyFile = join(cloud.paths.stateDir, 'key');
  writeFileSync(keyFile, await neil.text('keypair', 'create', 'laptop'), { mode: 0o600 });
  const userData = join(cloud.paths.stateDir, 'user-data');
  writeFileSync(userData, '#!/bin/sh\necho "the eagle has landed"\necho keys=$(cat /root/.ssh/authorized_keys)\n');
  await neil.text(
    'security',
    'group',
    'rule',
    'create',
    '--ingress',
    '--protocol',
    'tcp',
    '--dst-port',
    '80',
    'default',
  );
  const created = [
    'server',
    'create',
    '--wait',
    '--image',
    'guest',
    '--flavor',
    'tiny',
    '--network',
    'common',
    '--key-name',
    'laptop',
    '--user-data',
    userData,
    'lander',
  ];
  const server = await neil.json<Shown>(...created);
  expect(server.status).toBe('ACTIVE');

  // The guest's own word: its console, its user data, its key, its page.
  const shown = await neil.json<Shown>('server', 'show', 'lander');
  const address = Object.values(shown.addresses)[0]?.[0] ?? '';
  const consoleLog = () => neil.text('console', 'log', 'show', 'lander');
  const sees = (sign: RegExp) =>
    until(`in the console: ${sign}`, CONSOLE_TIMEOUT_MS, async () => sign.test(await consoleLog()));
  await sees(/the eagle has landed/);
  await sees(/keys=ssh-/);
  await sees(new RegExp(`dhcp \\S+ ${address.replaceAll('.', '\\.')}/24`));
  await sees(/ready hostname=lander boots=1/);
  expect((await machine.run('curl', ['-s', '--max-time', '5', `http://${address}/`])).stdout).toContain(
    'hello from lander',
  );

  // Stop, start, reboot: the guest counts its boots on its own disk.
  await neil.text('server', 'stop', 'lander');
  await until(
    'SHUTOFF',
    CONSOLE_TIMEOUT_MS,
    async () => (await neil.json<Shown>('server', 'show', 'lander')).status === 'SHUTOFF',
  );
  await neil.text('server', 'start', 'lander');
  await sees(/ready hostname=lander boots=2/);
  await neil.text('server', 'reboot', '--wait', 'lander');
  await sees(/ready hostname=lander boots=3/);
  const events = await neil.json<{ Action: string }[]>('server', 'event', 'list', 'lander');
  expect(events.map((event) => event.Action).sort()).toEqual(['create', 'reboot', 'start', 'stop']);

  // Gone is gone.
  await neil.text('server', 'delete', '--wait', 'lander');
  expect(await neil.json<unknown[]>('server', 'list')).toEqual([]);
  expect(await neil.json<unknown[]>('port', 'list')).toEqual([]);
  await until(
    'the end of the guest',
    CONSOLE_TIMEOUT_MS,
    async () => !(await machine.run('ps', ['-e', '-o', 'args'])).stdout.includes(shown.id),
  );
  const files = await machine.run('find', [runner?.stateDir ?? '', '-name', `*${shown.id}*`]);
  expect(files.stdout).toBe('');
});
