import { execFile, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { login } from '../home/api-client.ts';
import { type Cloud, startCloud } from './cloud.ts';

const CLI = join(import.meta.dirname, '../home/cli.ts');
let cloud: Cloud;
beforeAll(async () => {
  cloud = await startCloud();
  await cloud.runners({ hypervisor: 'simulated', name: 'drawn-host' });
});
afterAll(() => cloud.stop());

interface Said {
  status: number;
  stdout: string;
  stderr: string;
}

/** Runs the command as an operator does who has sourced an openrc. The test goes on meanwhile: it hears of ended connections. */
function topology(args: string[], change: Record<string, string | undefined> = {}): Promise<Said> {
  const openrc = `. ${cloud.paths.openrc} && exec env`;
  const { stdout: sourced } = spawnSync('sh', ['-c', openrc], { env: { PATH: process.env.PATH }, encoding: 'utf8' });
  const lines = sourced.split('\n').filter((line) => line.startsWith('OS_'));
  const variables = Object.fromEntries(lines.map((line) => [line.split('=')[0], line.replace(/^[^=]*=/, '')]));
  const env = { PATH: process.env.PATH, ...variables, ...change };
  const node = ['--disable-warning=ExperimentalWarning', CLI, 'cloud', ...args];
  return new Promise((resolve) => {
    const child = execFile(process.execPath, node, { env }, (_, stdout, stderr) =>
      resolve({ status: child.exitCode ?? -1, stdout, stderr }),
    );
  });
}

it('draws machines, networks and ports of a cloud', async () => {
  const { network } = await cloud.admin.call<{ network: { id: string } }>('network', 'POST', '/v2.0/networks', {
    network: { name: 'blue' },
  });
  const subnet = { network_id: network.id, ip_version: 4, cidr: '10.77.0.0/24' };
  await cloud.admin.call('network', 'POST', '/v2.0/subnets', { subnet });
  const fixed_ips = [{ ip_address: '10.77.0.9' }];
  await cloud.admin.call('network', 'POST', '/v2.0/ports', {
    port: { network_id: network.id, name: 'spare', fixed_ips },
  });
  const { stdout, stderr, status } = await topology(['topology']);
  expect([status, stderr]).toEqual([0, '']);
  expect(stdout).toMatch(/drawn-host {2}zone nova {2}enabled, connected {2}0 guests/);
  expect(stdout).toMatch(/blue {2}\(.*\) {2}10\.77\.0\.0\/24\n.*10\.77\.0\.9 {2}spare {2}DOWN/);
});

it('says what to do where it cannot', async () => {
  expect((await topology(['topology'], { OS_PASSWORD: undefined })).stderr).toMatch(
    /OS_PASSWORD must say .* \. \.aerostat\/openrc/,
  );
  expect((await topology(['topology'], { OS_PASSWORD: 'wrong' })).stderr).toMatch(/login of admin .* was refused: 401/);
  const dead = await topology(['topology'], { OS_AUTH_URL: 'http://127.0.0.1:1/identity/v3' });
  expect([dead.status, dead.stderr]).toEqual([1, expect.stringMatching(/does not answer .*is the cloud started\?/)]);
  expect((await topology(['map'])).stderr).toMatch(/There is: cloud topology/);
  expect(await topology(['--help'])).toMatchObject({
    status: 0,
    stdout: expect.stringContaining('npm run cloud -- topology'),
  });
});

it('shows a tenant its own, and no machines', async () => {
  const domain = { domain_id: 'default' };
  const { project } = await cloud.admin.call<{ project: { id: string } }>('identity', 'POST', '/projects', {
    project: { name: 'drawn', ...domain },
  });
  const { user } = await cloud.admin.call<{ user: { id: string } }>('identity', 'POST', '/users', {
    user: { name: 'drawer', password: 'secret-word', ...domain },
  });
  const { roles } = await cloud.admin.call<{ roles: { id: string }[] }>('identity', 'GET', '/roles?name=member');
  await cloud.admin.call('identity', 'PUT', `/projects/${project.id}/users/${user.id}/roles/${roles[0]?.id}`);
  const who = { user: 'drawer', password: 'secret-word', project: 'drawn' };
  const tenant = await login(`${cloud.url}/identity/v3`, who);
  await tenant.call('network', 'POST', '/v2.0/networks', { network: { name: 'mine' } });
  const { stdout } = await topology(['topology'], {
    OS_USERNAME: who.user,
    OS_PASSWORD: who.password,
    OS_PROJECT_NAME: who.project,
  });
  expect(stdout).toContain('only an administrator sees them');
  expect(stdout).toContain('mine');
  expect(stdout).not.toContain('blue');
});
