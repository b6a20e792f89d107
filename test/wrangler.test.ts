import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';

it('bundles for Cloudflare within its size limit', () => {
  const outDir = mkdtempSync(join(tmpdir(), 'aerostat-wrangler-'));
  const root = join(import.meta.dirname, '..');
  const env = { ...process.env, CI: 'true', WRANGLER_SEND_METRICS: 'false', HOME: outDir };
  const done = spawnSync(join(root, 'node_modules/.bin/wrangler'), ['deploy', '--dry-run', '--outdir', outDir], {
    cwd: root,
    env,
    encoding: 'utf8',
    timeout: 200_000,
  });
  rmSync(outDir, { recursive: true, force: true });
  expect(done.stderr + done.stdout).toContain('--dry-run: exiting now.');
  const kibibytes = Number(/gzip: ([\d.]+) KiB/.exec(done.stdout)?.[1]);
  // A worker of Cloudflare's free plan may have 3 MiB, compressed.
  expect(kibibytes).toBeLessThan(3 * 1024);
  expect(done.status).toBe(0);
});
