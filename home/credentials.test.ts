import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { writeCredentials } from './credentials.ts';
import { statePaths } from './paths.ts';

it('writes an openrc that a shell reads back to the letter, for its owner alone', () => {
  const paths = statePaths(mkdtempSync(join(tmpdir(), 'aerostat-credentials-')));
  const password = `it's "$(id)" \\ fine`;
  writeCredentials(paths, { authUrl: 'http://127.0.0.1:1/identity/v3', password, region: 'RegionOne' });
  expect(
    execFileSync('bash', ['-c', '. "$1"; printf %s "$OS_PASSWORD"', 'bash', paths.openrc], { encoding: 'utf8' }),
  ).toBe(password);
  for (const file of [paths.openrc, paths.clouds]) expect(statSync(file).mode & 0o777).toBe(0o600);
  rmSync(paths.stateDir, { recursive: true, force: true });
});
