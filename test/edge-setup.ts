import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { bootstrap } from '../db/bootstrap.ts';
import { openDatabase } from '../db/client.ts';
import { migrate } from '../db/migrate.ts';
import { startDatabaseServer } from '../db/server/start-server.ts';
import { pause } from '../runner/host/wait.ts';
import { systemClock } from '../shared/clock.ts';
import { randomIds } from '../shared/ids.ts';
import { hashPassword } from '../worker/identity/password.ts';
import { startReceiver } from './webhook-receiver.ts';

/** A fresh database for a run of the edge lane: migrated and bootstrapped, in a folder of its own. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = mkdtempSync(join(tmpdir(), 'aerostat-edge-'));
  const token = randomIds.hex();
  const adminPassword = randomIds.hex();
  const server = await startDatabaseServer({ file: join(folder, 'edge.db'), listen: '127.0.0.1:0', token });
  const db = openDatabase({ url: server.url, token });
  await migrate(db, {
    clock: systemClock,
    ids: randomIds,
    sleep: pause,
  });
  await bootstrap(db, { adminPassword, hash: hashPassword, clock: systemClock, ids: randomIds });
  const receiver = await startReceiver();
  project.provide('receiverUrl', receiver.url);
  const blobFolder = join(folder, 'blobs');
  mkdirSync(blobFolder);
  project.provide('blobFolder', blobFolder);
  project.provide('databaseUrl', server.url);
  project.provide('databaseToken', token);
  project.provide('adminPassword', adminPassword);
  return async () => {
    await receiver.close();
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  };
}

declare module 'vitest' {
  export interface ProvidedContext {
    blobFolder: string;
    receiverUrl: string;
    databaseUrl: string;
    databaseToken: string;
    adminPassword: string;
  }
}
