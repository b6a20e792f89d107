import { mkdirSync, statfsSync } from 'node:fs';
import { createServer } from 'node:net';
import { Refusal } from '../shared/refusal.ts';
import type { StatePaths } from './paths.ts';
import { readRunning } from './running.ts';

const FREE_BYTES_MIN = 1024 ** 3;

/** Checks what a start needs before it changes anything. @throws Refusal that says what to do */
export async function checkPreconditions(paths: StatePaths, host: string, port: number): Promise<void> {
  if (process.getuid?.() !== 0) throw new Refusal('guests, bridges and nftables need root. Try: sudo npm start');
  const running = await readRunning(paths.running);
  if (running?.alive)
    throw new Refusal(
      `it runs already at ${running.record.url} (process ${running.record.pid}). End it with: npm run stop`,
    );
  mkdirSync(paths.stateDir, { recursive: true, mode: 0o700 });
  const disk = statfsSync(paths.stateDir);
  const freeBytes = disk.bavail * disk.bsize;
  if (freeBytes < FREE_BYTES_MIN) {
    throw new Refusal(
      `only ${Math.floor(freeBytes / 1024 ** 2)} MiB are free at ${paths.stateDir}; at least 1024 are needed. Free some, or use --state DIR on another disk.`,
    );
  }
  await checkPort(host, port);
}

function checkPort(host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', (error: NodeJS.ErrnoException) => {
      const what =
        error.code === 'EADDRINUSE' ? `port ${port} is taken` : `cannot listen on ${host}:${port} (${error.code})`;
      reject(new Refusal(`${what}. Choose another: npm start -- --port ${port + 1}`));
    });
    probe.listen(port, host, () => probe.close(() => resolve()));
  });
}
