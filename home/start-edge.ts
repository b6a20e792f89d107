import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { bootstrap } from '../db/bootstrap.ts';
import { type Database, openDatabase } from '../db/client.ts';
import { migrate } from '../db/migrate.ts';
import { pause } from '../runner/host/wait.ts';
import { writeAtomically } from '../runner/state/write-atomically.ts';
import { systemClock } from '../shared/clock.ts';
import { randomIds } from '../shared/ids.ts';
import { hashPassword, verifyPassword } from '../worker/identity/password.ts';
import { buildWorker } from './build-worker.ts';
import { freePort } from './free-port.ts';
import type { StatePaths } from './paths.ts';
import type { Secrets } from './secrets.ts';
import { type Supervisor, supervise } from './supervise.ts';
import { until } from './until.ts';
import { workerdConfig } from './workerd-config.ts';

const READY_TIMEOUT_MS = 60_000;
/** It waits for idle connections as long as it may, and keeps nothing that must be written at its end. */
const WORKERD_GRACE_MS = 500;
/** Half the memory at the same speed: rows are sent and forgotten, and no thread needs a heap of its own. */
const DATABASE_FRUGAL = { flags: ['--max-semi-space-size=4'], env: { MALLOC_ARENA_MAX: '2' } };
const DATABASE_MAIN = join(import.meta.dirname, '../db/server/main.ts');
const WORKERD = join(import.meta.dirname, '../node_modules/@cloudflare/workerd-linux-64/bin/workerd');

export interface EdgeOptions {
  paths: StatePaths;
  secrets: Secrets;
  /** Address that the API listens on. */
  host: string;
  port: number;
  /** What clients are told to use. */
  publicUrl: string;
  region: string;
  /** CIDRs that images may be downloaded from, beyond public addresses. */
  importAllow?: string[];
  /** CIDRs that identity providers may be at, beyond public addresses. */
  ssoAllow?: string[];
  /** CIDRs that webhooks may be sent to, beyond public addresses; with any, plain HTTP is taken there. */
  webhookAllow?: string[];
  /** Dashboards that may be handed a token after a log-in elsewhere. */
  trustedDashboards?: string[];
  /** A JSON object of Keystone's `[security_compliance]` options. */
  securityCompliance?: string;
  /** The worker's module, where it is another than its own. */
  workerEntry?: string;
}

/** The control plane at home: the database process and workerd, both supervised. */
export interface Edge {
  url: string;
  db: Database;
  database: Supervisor;
  workerd: Supervisor;
  stop(): Promise<void>;
}

/**
 * Starts the control plane on this machine and waits until it answers.
 * @throws Error when a part does not come up in time; what was started is stopped
 */
export async function startEdge(options: EdgeOptions): Promise<Edge> {
  const { paths, secrets } = options;
  for (const folder of [paths.logs, join(paths.database, '..'), paths.blobs, paths.durableObjects, paths.worker]) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  }
  const bundling = buildWorker(paths.worker, options.workerEntry);
  // Chosen once, so that the worker finds the database again after a restart of either.
  const databaseAddress = `127.0.0.1:${await freePort()}`;
  const started: Supervisor[] = [];
  try {
    const { database, db } = await startDatabase(options, databaseAddress);
    started.push(database);
    await migrate(db, { clock: systemClock, ids: randomIds, sleep: pause });
    await bootstrap(db, {
      adminPassword: secrets.adminPassword,
      hash: hashPassword,
      verify: verifyPassword,
      clock: systemClock,
      ids: randomIds,
    });
    await bundling;
    const workerd = startWorkerd(options, databaseAddress);
    started.push(workerd);
    const url = `http://${options.host === '0.0.0.0' ? '127.0.0.1' : options.host}:${options.port}`;
    await until('the API', READY_TIMEOUT_MS, async () => (await fetch(`${url}/identity/v3`)).ok);
    const stop = async () => {
      for (const process of [workerd, database]) await process.stop();
    };
    return { url, db, database, workerd, stop };
  } catch (error) {
    await bundling.catch(() => {});
    for (const process of started.reverse()) await process.stop();
    throw error;
  }
}

async function startDatabase(
  { paths, secrets }: EdgeOptions,
  address: string,
): Promise<{ database: Supervisor; db: Database }> {
  const url = `http://${address}`;
  const database = supervise(
    {
      name: 'database',
      command: process.execPath,
      args: [
        '--disable-warning=ExperimentalWarning',
        ...DATABASE_FRUGAL.flags,
        DATABASE_MAIN,
        '--file',
        paths.database,
        '--listen',
        address,
      ],
      env: { ...DATABASE_FRUGAL.env, AEROSTAT_DB_TOKEN: secrets.databaseToken },
      logFile: join(paths.logs, 'database.log'),
    },
    systemClock,
  );
  try {
    await until('the database', READY_TIMEOUT_MS, async () => (await fetch(`${url}/health`)).ok);
  } catch (error) {
    await database.stop();
    throw error;
  }
  return { database, db: openDatabase({ url, token: secrets.databaseToken }) };
}

function startWorkerd(options: EdgeOptions, database: string): Supervisor {
  const { paths, secrets, host, port, publicUrl, region } = options;
  const { importAllow = [], ssoAllow = [], webhookAllow = [] } = options;
  const config = join(paths.worker, 'workerd.capnp');
  writeAtomically(
    config,
    workerdConfig({
      listen: `${host}:${port}`,
      bundle: 'worker.js',
      database,
      blobs: paths.blobs,
      durableObjects: paths.durableObjects,
      importAllow,
      ssoAllow,
      webhookAllow,
      bindings: {
        DATABASE_URL: 'http://database',
        DATABASE_TOKEN: secrets.databaseToken,
        TOKEN_KEY: secrets.tokenKey,
        REGION: region,
        PUBLIC_URL: publicUrl,
        IMPORT_ALLOW: importAllow.join(','),
        WEBHOOK_ALLOW: webhookAllow.join(','),
        SECURITY_COMPLIANCE: options.securityCompliance ?? '',
        TRUSTED_DASHBOARDS: (options.trustedDashboards ?? []).join(','),
      },
    }),
  );
  return supervise(
    {
      name: 'workerd',
      command: WORKERD,
      args: ['serve', '--experimental', config],
      logFile: join(paths.logs, 'workerd.log'),
      stopGrace_ms: WORKERD_GRACE_MS,
    },
    systemClock,
  );
}
