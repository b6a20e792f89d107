import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { loadSecrets } from '../home/secrets.ts';
import { until } from '../home/until.ts';
import { run } from '../runner/host/run.ts';
import { type Cloud, REGION, startCloud } from './cloud.ts';

const CLI_TIMEOUT_MS = 120_000;
const IMPORT_TIMEOUT_MS = 60_000;

let cloud: Cloud;
let folder: string;
let data: string;
const host = createServer((_, response) => response.end('downloaded'));

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'aerostat-glance-'));
  data = join(folder, 'data');
  writeFileSync(data, 'hello glance');
  await new Promise<void>((resolve) => host.listen(0, '127.0.0.1', resolve));
  cloud = await startCloud({ importAllow: ['127.0.0.1/32'] });
});
afterAll(async () => {
  await cloud?.stop();
  host.closeAllConnections();
  host.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Runs the real `glance` client as the administrator. @returns what it prints. @throws CommandError with what it said */
async function glance(...args: string[]): Promise<string> {
  const env = {
    PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
    HOME: cloud.paths.stateDir,
    OS_AUTH_URL: `${cloud.url}/identity/v3`,
    OS_USERNAME: 'admin',
    OS_PASSWORD: loadSecrets(cloud.paths.secrets).adminPassword,
    OS_PROJECT_NAME: 'admin',
    OS_USER_DOMAIN_NAME: 'Default',
    OS_PROJECT_DOMAIN_NAME: 'Default',
    OS_REGION_NAME: REGION,
  };
  // On a terminal of its own: what it finds on another standard input it takes for an image.
  const command = ['/usr/bin/glance', ...args].map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
  const done = run('/usr/bin/script', ['-qec', command, '/dev/null'], { env, timeout_ms: CLI_TIMEOUT_MS });
  return (await done).stdout.replaceAll('\r', '');
}

/** The rows of a table as the client prints it. */
const rows = (table: string): string[][] =>
  table
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
/** A table of a property a line. */
const members = (table: string): Record<string, string> =>
  Object.fromEntries(rows(table).map(([name, value]) => [name, value]));

const BARE = ['--disk-format', 'raw', '--container-format', 'bare'];

it('the glance client stages, imports and downloads, and sees how it went', async () => {
  const { id = '' } = members(await glance('image-create', '--name', 'staged', ...BARE));
  await glance('image-stage', '--file', data, id);
  expect(members(await glance('image-show', id))).toMatchObject({ status: 'uploading', size: '12' });
  const imported = members(await glance('image-import', '--import-method', 'glance-direct', id));
  expect(imported).toMatchObject({ status: 'active', stores: 'aerostat' });
  expect(rows(await glance('image-tasks', id))[1]?.slice(1)).toEqual(expect.arrayContaining(['success']));
  const saved = join(folder, 'saved');
  await glance('image-download', '--file', saved, id);

  const uri = `http://127.0.0.1:${(host.address() as AddressInfo).port}/disk`;
  const created = members(
    await glance('image-create-via-import', '--import-method', 'web-download', '--uri', uri, '--name', 'web', ...BARE),
  );
  const web = created.id ?? '';
  await until('downloaded', IMPORT_TIMEOUT_MS, async () => {
    const image = await cloud.admin.call<{ status: string }>('image', 'GET', `/v2/images/${web}`);
    return image.status === 'active';
  });
  expect(members(await glance('image-show', web))).toMatchObject({ size: '10', os_glance_failed_import: '' });
  await expect(
    glance('image-create-via-import', '--import-method', 'web-download', '--uri', 'http://10.0.0.1/', ...BARE),
  ).rejects.toThrow(/does not pass filtering/);
  expect(await glance('import-info')).toMatch(/web-download.*copy-image/s);
  expect(await glance('stores-info')).toContain('aerostat');
  expect(await glance('usage')).toMatch(/image_count_total\s*\|\s*10000\s*\|\s*\d+/);
  expect(await glance('task-list')).toContain('api_image_import');
});

it('the glance client defines metadata', async () => {
  const ns = 'OS::Test::Cli';
  await glance('md-namespace-create', ns, '--visibility', 'public', '--display-name', 'Test');
  const schema = JSON.stringify({ type: 'integer', minimum: 1 });
  await glance('md-property-create', ns, '--name', 'cores', '--title', 'Cores', '--schema', schema);
  await glance('md-object-create', ns, '--name', 'disk', '--schema', JSON.stringify({ description: 'A disk' }));
  await glance('md-tag-create-multiple', ns, '--names', 'two,three', '--delim', ',');
  await glance('md-tag-create', ns, '--name', 'one');
  await glance('md-resource-type-associate', ns, '--name', 'OS::Glance::Image', '--prefix', 'hw_');
  const shown = await glance('md-namespace-show', ns);
  for (const part of ['cores', 'disk', 'one', 'two', 'three', 'OS::Glance::Image']) expect(shown).toContain(part);
  expect(rows(await glance('md-property-show', ns, 'cores')).flat()).toContain('Cores');
  await glance('md-object-update', ns, 'disk', '--name', 'drive');
  expect(rows(await glance('md-object-list', ns)).flat()).toContain('drive');
  await glance('md-namespace-update', ns, '--protected', 'True');
  await expect(glance('md-namespace-delete', ns)).rejects.toThrow(/is protected and cannot be deleted/);
  await glance('md-namespace-update', ns, '--protected', 'False');
  await glance('md-namespace-tags-delete', ns);
  expect(await glance('md-tag-list', ns)).not.toContain('two');
  expect(rows(await glance('md-namespace-list')).flat()).toContain(ns);
  await glance('md-namespace-delete', ns);
  expect(rows(await glance('md-namespace-list')).flat()).not.toContain(ns);
});
