import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { login } from '../home/api-client.ts';
import { loadSecrets } from '../home/secrets.ts';
import { type Cloud, type RunnerProcess, startCloud } from './cloud.ts';

let cloud: Cloud;
let runner: RunnerProcess;
const secrets: Record<string, string> = {};

beforeAll(async () => {
  cloud = await startCloud();
  runner = await cloud.runners({ hypervisor: 'simulated', name: 'host' });
  const { admin, paths, url } = cloud;
  Object.assign(secrets, loadSecrets(paths.secrets), { adminToken: admin.token });
  const identity = JSON.parse(readFileSync(join(runner.stateDir, 'identity.json'), 'utf8')) as { private_key: string };
  secrets.runnerKey = identity.private_key;
  secrets.userPassword = crypto.randomUUID();
  const user = { name: 'neil', password: secrets.userPassword, default_project_id: admin.projectId };
  const made = await admin.call<{ user: { id: string } }>('identity', 'POST', '/users', { user });
  const { roles } = await admin.call<{ roles: { id: string }[] }>('identity', 'GET', '/roles?name=member');
  const grant = `/projects/${admin.projectId}/users/${made.user.id}/roles/${roles[0]?.id}`;
  await admin.call('identity', 'PUT', grant);
  const { token } = await login(`${url}/identity/v3`, { user: 'neil', password: user.password, project: 'admin' });
  secrets.userToken = token;
  await expect(login(`${url}/identity/v3`, { user: 'neil', password: 'wrong', project: 'admin' })).rejects.toThrow();
  const keypair = { name: 'k' };
  const generated = await admin.call<{ keypair: { private_key: string } }>('compute', 'POST', '/os-keypairs', {
    keypair,
  });
  // The text of a key begins and ends alike for all; its middle is its own.
  secrets.keypair = generated.keypair.private_key.split('\n')[4] ?? '';
  const join_token = { expires_in_s: 60 };
  const { join_token: given } = await admin.call<{ join_token: { token: string } }>(
    'aerostat',
    'POST',
    '/join-tokens',
    {
      join_token,
    },
  );
  secrets.joinToken = given.token;
});
afterAll(async () => cloud?.stop());

const found = (text: string) => Object.keys(secrets).filter((name) => text.includes(secrets[name] ?? ''));

it('keeps each secret in the files that need it, for their owner alone, and in no log or database', () => {
  for (const [name, secret] of Object.entries(secrets)) expect(secret.length, name).toBeGreaterThan(20);
  const { stateDir } = cloud.paths;
  const holders: Record<string, string[]> = {};
  for (const entry of readdirSync(stateDir, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (!entry.isFile()) continue;
    const names = found(readFileSync(path, 'latin1'));
    if (names.length === 0) continue;
    holders[relative(stateDir, path)] = names.sort();
    expect(statSync(path).mode & 0o777, path).toBe(0o600);
  }
  expect(holders).toEqual({
    'secrets.json': ['adminPassword', 'databaseToken', 'tokenKey'],
    openrc: ['adminPassword'],
    'clouds.yaml': ['adminPassword'],
    'worker/workerd.capnp': ['databaseToken', 'tokenKey'],
    'runner-host/identity.json': ['runnerKey'],
  });
});

it('shows no secret to who lists the processes', () => {
  const lines = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'latin1');
      } catch {
        return '';
      }
    });
  expect(lines.some((line) => line.includes(cloud.paths.database))).toBe(true);
  for (const line of lines) expect(found(line), line).toEqual([]);
});
