import type { Env } from '../../env.ts';
import type { Log } from '../../http/context.ts';

/** How verbs have imports done. */
export interface Imports {
  /** Has a task begun, now. Never throws; when that is lost the region's alarm finds the task. */
  start(taskId: string): void;
}

/** Imports in objects of their own, one a task, so that they outlive the request. */
export function objectImports(
  env: Env,
  region: string,
  log: Log,
  waitUntil: (promise: Promise<unknown>) => void,
): Imports {
  return {
    start(taskId) {
      const importer = env.IMAGE_IMPORTER.get(env.IMAGE_IMPORTER.idFromName(taskId));
      // In a region without machines nobody else starts the alarm that finds what was lost.
      const watch = env.REGION_WATCH.get(env.REGION_WATCH.idFromName(region));
      waitUntil(
        Promise.all([importer.start(region, taskId), watch.watch(region)]).catch((error: unknown) =>
          log.error('import-not-started', { taskId, error: String(error) }),
        ),
      );
    },
  };
}
