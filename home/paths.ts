import { createHash } from 'node:crypto';
import { join, resolve } from 'node:path';

/** What lies where in a state folder. */
export function statePaths(stateDir: string) {
  return {
    stateDir,
    /** Port, process ids and URL of what runs; also the lock of one `start` at a time. */
    running: join(stateDir, 'running.json'),
    secrets: join(stateDir, 'secrets.json'),
    openrc: join(stateDir, 'openrc'),
    clouds: join(stateDir, 'clouds.yaml'),
    logs: join(stateDir, 'logs'),
    database: join(stateDir, 'database', 'aerostat.db'),
    blobs: join(stateDir, 'blobs'),
    durableObjects: join(stateDir, 'durable-objects'),
    worker: join(stateDir, 'worker'),
    runner: join(stateDir, 'runner'),
  };
}
export type StatePaths = ReturnType<typeof statePaths>;

/** Marks what one state folder's runner makes on the machine, so that two clouds on one machine stay apart. */
export const markOf = (stateDir: string) =>
  `ae${createHash('sha256').update(resolve(stateDir)).digest('hex').slice(0, 4)}`;
