import { join } from 'node:path';

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
