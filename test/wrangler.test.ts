import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { compatibility } from '../home/workerd-config.ts';

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

it('names only what the runtime knows', () => {
  const { date, flags } = compatibility();
  expect(flags).toContain('global_fetch_strictly_public');
  const said = (named: string[]) => {
    const outDir = mkdtempSync(join(tmpdir(), 'aerostat-flags-'));
    const config = `using Workerd = import "/workerd/workerd.capnp";
      const config :Workerd.Config = (services = [(name = "main", worker = (compatibilityDate = "${date}", compatibilityFlags = ${JSON.stringify(named)},
        modules = [(name = "main", esModule = "export default { test() {} }")]))]);`;
    const file = join(outDir, 'config.capnp');
    writeFileSync(file, config);
    const done = spawnSync(join(ROOT, 'node_modules/.bin/workerd'), ['test', file], {
      encoding: 'utf8',
      timeout: 60_000,
    });
    rmSync(outDir, { recursive: true, force: true });
    return { status: done.status, text: done.stdout + done.stderr };
  };
  expect(said(flags)).toMatchObject({ status: 0 });
  const unknown = said([...flags, 'no_such_flag']);
  expect(unknown.text).toMatch(/no_such_flag/);
  expect(unknown.status).not.toBe(0);
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
