import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '..');

it('bundles for Cloudflare within its size limit', () => {
  const outDir = mkdtempSync(join(tmpdir(), 'aerostat-wrangler-'));
  const env = { ...process.env, CI: 'true', WRANGLER_SEND_METRICS: 'false', HOME: outDir };
  const done = spawnSync(join(ROOT, 'node_modules/.bin/wrangler'), ['deploy', '--dry-run', '--outdir', outDir], {
    cwd: ROOT,
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

it('names the same durable objects as the configuration of workerd', () => {
  const wrangler = readFileSync(join(ROOT, 'wrangler.toml'), 'utf8');
  const all = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].map((match) => match.slice(1)).sort();
  const bound = all(wrangler, /^name = "(\w+)"\nclass_name = "(\w+)"$/gm);
  const made = all(wrangler, /^new_sqlite_classes = \[(.*)\]$/gm);
  const atHome = readFileSync(join(ROOT, 'home/workerd-config.ts'), 'utf8');
  expect(bound.length).toBeGreaterThan(0);
  expect(all(atHome, /\(name = "(\w+)", durableObjectNamespace = "(\w+)"\)/g)).toEqual(bound);
  const classes = bound.map(([, name]) => [name]).sort();
  expect(all(atHome, /className = "(\w+)", .*enableSql = true/g)).toEqual(classes);
  expect(all(made.join(), /"(\w+)"/g)).toEqual(classes);
});
