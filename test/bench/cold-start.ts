import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { login } from '../../home/api-client.ts';
import { freePort } from '../../home/free-port.ts';
import { statePaths } from '../../home/paths.ts';
import { loadSecrets } from '../../home/secrets.ts';
import { startEdge } from '../../home/start-edge.ts';
import { until } from '../../home/until.ts';
import { REGION } from '../cloud.ts';
import { figure, note } from './figures.ts';

const WAIT_MS = 120_000;

/** From nothing running to the first authenticated list, on a state folder that has started before. */
export async function coldStart(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'aerostat-cold-'));
  const paths = statePaths(folder);
  const secrets = loadSecrets(paths.secrets);
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const first = await startEdge({ paths, secrets, host: '127.0.0.1', port, publicUrl: url, region: REGION });
  await first.stop();
  const began = performance.now();
  const child = spawn(
    process.execPath,
    [join(import.meta.dirname, '../../home/cli.ts'), 'start', '--state', folder, '--port', String(port), '--no-runner'],
    { stdio: 'ignore' },
  );
  try {
    await until('the first list', WAIT_MS, async () => {
      const api = await login(`${url}/identity/v3`, {
        user: 'admin',
        password: secrets.adminPassword,
        project: 'admin',
      });
      await api.call('compute', 'GET', '/servers');
      return true;
    });
    figure('cold_start_first_list', (performance.now() - began) / 1000, 's');
  } finally {
    await ended(child);
    rmSync(folder, { recursive: true, force: true });
  }
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.kill('SIGTERM');
    note('cold start ended');
  });
}
