#!/usr/bin/env node
// The one file that any Node >= 18 runs: it installs what is missing and hands over to Node 24 (npm's `node` package).
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { packagesFor } from './debian-packages.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const args = process.argv.slice(2);
const TAIL_LINES = 15;

/** Ends with one line that says what to do. */
function fail(line) {
  console.error(`aerostat: ${line}`);
  process.exit(1);
}

/** Runs a command quietly, with its name and time on one line; shows its last words when it fails. */
function step(title, command, commandArgs, env = {}) {
  process.stdout.write(`${title} ... `);
  const began = Date.now();
  const done = spawnSync(command, commandArgs, {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, ...env },
    maxBuffer: 64 * 1024 * 1024,
  });
  const took = `${((Date.now() - began) / 1000).toFixed(1)} s`;
  if (done.status === 0) return console.log(took);
  console.log(`failed after ${took}`);
  console.error(
    `${done.stdout ?? ''}${done.stderr ?? ''}${done.error?.message ?? ''}`
      .trim()
      .split('\n')
      .slice(-TAIL_LINES)
      .join('\n'),
  );
  fail(`'${command} ${commandArgs.slice(0, 2).join(' ')}' failed; its last words are above.`);
}

/** npm packages in the versions that the lock file names; skipped when they are there. */
function installNpmPackages() {
  const stamp = join(root, 'node_modules', '.aerostat-lock');
  const wanted = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  // Not `npm ci`: it refuses a lock file without the binaries of every platform, which not every registry has.
  step('Installing npm packages', 'npm', ['install', '--no-save', '--no-audit', '--no-fund']);
  writeFileSync(stamp, wanted);
}

function installDebianPackages(wanted) {
  if (wanted.length === 0) return;
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the placeholders are dpkg-query's own
  const query = spawnSync('dpkg-query', ['-W', '-f', '${Package} ${db:Status-Status}\n', ...wanted], {
    encoding: 'utf8',
  });
  if (query.error)
    return fail(`this is not a Debian machine. Install what these packages hold, and try again: ${wanted.join(' ')}`);
  const there = new Set(
    query.stdout
      .split('\n')
      .filter((line) => line.endsWith(' installed'))
      .map((line) => line.split(' ')[0]),
  );
  const missing = wanted.filter((name) => !there.has(name));
  if (missing.length === 0) return;
  if (process.getuid?.() !== 0) fail(`missing Debian packages; as root: apt-get install ${missing.join(' ')}`);
  const quiet = { DEBIAN_FRONTEND: 'noninteractive' };
  step('Updating the package lists', 'apt-get', ['update', '-q'], quiet);
  step(
    `Installing ${missing.length} Debian packages`,
    'apt-get',
    ['install', '-q', '-y', '--no-install-recommends', ...missing],
    quiet,
  );
}

/** The rest runs on Node 24, which reads TypeScript as it is. */
function handOver() {
  const child = spawn(
    join(root, 'node_modules/node/bin/node'),
    ['--disable-warning=ExperimentalWarning', join(root, 'home/cli.ts'), ...args],
    {
      stdio: 'inherit',
      env: { ...process.env, PATH: `${join(root, 'node_modules/.bin')}:${process.env.PATH}` },
    },
  );
  // Ctrl-C reaches the child by the terminal; whoever signals only us means the child too.
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  child.on('exit', (code, signal) => process.exit(signal ? 1 : (code ?? 1)));
}

const help = args.length === 0 || args.includes('--help') || args[0] === 'help';
installNpmPackages();
if (!help) installDebianPackages(packagesFor[args.slice(0, 2).join(' ')] ?? packagesFor[args[0]] ?? []);
handOver();
