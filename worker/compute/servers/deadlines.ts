import type { TaskState } from './statuses.ts';

/**
 * How long a task may take before the server goes to ERROR. A build waits for the download of its image and is given the
 * time anew with each report that it goes on.
 */
export const TASK_DEADLINES_MS: Readonly<Record<TaskState, number>> = {
  scheduling: 60_000,
  spawning: 600_000,
  'powering-off': 180_000,
  'powering-on': 180_000,
  rebooting: 180_000,
  rebooting_hard: 180_000,
  deleting: 180_000,
};
