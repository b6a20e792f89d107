import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { capnpText, compatibility, workerdConfig } from './workerd-config.ts';

const options = {
  listen: '127.0.0.1:1',
  bundle: 'worker.js',
  database: '127.0.0.1:2',
  blobs: '/tmp/blobs',
  durableObjects: '/tmp/objects',
  importAllow: ['127.0.0.0/8', 'fd00::/8'],
  ssoAllow: ['10.0.0.0/8'],
  webhookAllow: ['192.168.7.0/24'],
  bindings: { TOKEN_KEY: 'a"b\\c\nd é' },
};

it('escapes everything that could end a literal', () => {
  expect(capnpText('a"b\\c\n')).toBe('"a\\x22b\\x5cc\\x0a"');
});

it('takes the compatibility date and flags from wrangler.toml', () => {
  expect(compatibility()).toMatchObject({ flags: ['nodejs_compat', 'global_fetch_strictly_public'] });
  expect(() => compatibility('name = "x"')).toThrow('compatibility_date');
});

it('is a configuration that workerd compiles, whatever the secrets are', () => {
  const folder = mkdtempSync(join(tmpdir(), 'aerostat-config-'));
  try {
    writeFileSync(join(folder, 'worker.js'), 'export default {}');
    writeFileSync(join(folder, 'workerd.capnp'), workerdConfig(options));
    const workerd = join(import.meta.dirname, '../node_modules/@cloudflare/workerd-linux-64/bin/workerd');
    const done = spawnSync(workerd, ['compile', '--config-only', join(folder, 'workerd.capnp')], {
      encoding: 'buffer',
    });
    expect(done.stderr.toString()).toBe('');
    expect(done.status).toBe(0);
    expect(done.stdout.includes(Buffer.from('a"b\\c\nd é'))).toBe(true);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
