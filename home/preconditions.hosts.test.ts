import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { run } from '../runner/host/run.ts';
import { freePort } from './free-port.ts';
import { statePaths } from './paths.ts';
import { checkPreconditions } from './preconditions.ts';
import { writeRunning } from './running.ts';

const ENTRY = join(import.meta.dirname, '../bin/aerostat.mjs');

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'aerostat-preconditions-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const check = async (stateDir = join(folder, 'state')) =>
  checkPreconditions(statePaths(stateDir), '127.0.0.1', await freePort());

it('lets a start go on where there is all that it needs', async () => {
  await check();
});

it('needs root, and says how', async () => {
  const uid = vi.spyOn(process, 'getuid').mockReturnValue(1000);
  await expect(check()).rejects.toThrow('need root. Try: sudo npm start');
  uid.mockRestore();
});

it('lets one cloud at a time run from a state folder, and takes over from one that died', async () => {
  mkdirSync(join(folder, 'state'));
  const { running } = statePaths(join(folder, 'state'));
  await writeRunning(running, { url: 'http://here', mark: 'ae' });
  await expect(check()).rejects.toThrow(
    /^it runs already at http:\/\/here \(process \d+\)\. End it with: npm run stop$/,
  );
  writeFileSync(running, JSON.stringify({ pid: process.pid, startTicks: 1, url: 'http://here', mark: 'ae' }));
  await check();
});

it('needs room on the disk, and says how much there is and where', async () => {
  const disk = join(folder, 'disk');
  mkdirSync(disk);
  await run('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'none', disk]);
  try {
    await expect(check(join(disk, 'state'))).rejects.toThrow(
      new RegExp(`^only 1\\d MiB are free at ${disk}/state; at least 1024 are needed\\. .*--state DIR`),
    );
  } finally {
    await run('umount', [disk]);
  }
});

/** Runs the command on a machine whose programs are only these, as shell scripts. */
function command(programs: Record<string, string>): string {
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  symlinkSync(process.execPath, join(bin, 'node'));
  for (const [name, script] of Object.entries(programs)) {
    writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(bin, name), 0o755);
  }
  const done = spawnSync(process.execPath, [ENTRY, 'stop', '--state', join(folder, 'state')], {
    env: { PATH: bin },
    encoding: 'utf8',
  });
  expect(done.status).toBe(1);
  return done.stdout + done.stderr;
}

it('names what to install where there is no Debian', () => {
  expect(command({})).toMatch(
    /^aerostat: this is not a Debian machine\. Install what .* hold, .*: iproute2 nftables\n$/,
  );
});

it('shows the last words of an installation that fails', () => {
  const said = command({
    'dpkg-query': 'echo "iproute2 installed"',
    'apt-get': 'echo "E: no network" >&2; exit 100',
  });
  expect(said).toMatch(/^Updating the package lists \.\.\. failed after [\d.]+ s\nE: no network\naerostat: 'apt-get/);
});

it('installs what is missing, and no more', () => {
  const log = join(folder, 'apt.log');
  const said = command({
    'dpkg-query': 'echo "iproute2 installed"',
    'apt-get': `echo "$@" >> ${log}; case "$1" in install) exit 1;; esac`,
  });
  expect(said).toContain('Installing 1 Debian packages');
  expect(spawnSync('cat', [log], { encoding: 'utf8' }).stdout).toBe(
    'update -q\ninstall -q -y --no-install-recommends nftables\n',
  );
});
