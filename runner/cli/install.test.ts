import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../testing/temporary-folder.ts';
import { install, unitFile } from './install.ts';

it('keeps guests running when the runner is stopped, and brings the runner back whenever it ends', () => {
  const unit = unitFile('/usr/bin/node', '/opt/aerostat/runner/main.ts', [
    'run',
    '--state',
    '/var/lib/aerostat/runner',
  ]);
  expect(unit).toContain(
    'ExecStart="/usr/bin/node" "/opt/aerostat/runner/main.ts" "run" "--state" "/var/lib/aerostat/runner"\n',
  );
  expect(unit).toContain('\nKillMode=process\n');
  expect(unit).toContain('\nRestart=always\n');
  expect(unit).toContain('\nWantedBy=multi-user.target\n');
});

it('takes paths literally', () => {
  const unit = unitFile('/n', '/m', ['run', '--state', '/a b/100%/$HOME/"x"/\\']);
  expect(unit).toContain('"--state" "/a b/100%%/$$HOME/\\"x\\"/\\\\"\n');
  expect(() => unitFile('/n', '/m', ['/a\nExecStartPre=/bin/evil'])).toThrow(/line break/);
});

it('writes the unit, has systemd read and start it, and says where to look', async () => {
  const folder = temporaryFolder();
  const calls: string[][] = [];
  const said: string[] = [];
  const systemd = { running: folder, systemctl: async (...args: string[]) => calls.push(args) };
  expect(await install(['run', '--state', '/state'], folder, (line) => said.push(line), systemd)).toBe(true);
  expect(readFileSync(join(folder, 'aerostat-runner.service'), 'utf8')).toContain('"--state" "/state"\n');
  expect(calls).toEqual([['daemon-reload'], ['enable', '--now', 'aerostat-runner.service']]);
  expect(said.join()).toContain('journalctl');
});

it('says how to run it where there is no systemd, and writes nothing', async () => {
  const folder = temporaryFolder();
  const said: string[] = [];
  const systemd = { running: join(folder, 'none'), systemctl: () => Promise.reject(new Error('not called')) };
  expect(await install(['run', '--state', '/state'], folder, (line) => said.push(line), systemd)).toBe(false);
  expect(said.join()).toMatch(/Have its init run: .*main\.ts run --state \/state/);
  expect(existsSync(join(folder, 'aerostat-runner.service'))).toBe(false);
});

it('says what systemd refused', async () => {
  const folder = temporaryFolder();
  const systemd = { running: folder, systemctl: () => Promise.reject(new Error('access denied')) };
  await expect(install(['run', '--state', '/state'], folder, () => {}, systemd)).rejects.toThrow(
    /systemd refused it: access denied/,
  );
});
