import { sql } from 'drizzle-orm';
import type { Statement } from '../../http/commit.ts';
import type { Context } from '../../http/context.ts';
import type { TaskState } from './statuses.ts';

const MINUTE_MS = 60_000;

/**
 * How long a task may take before it is given up. What waits for an image to come or to go is given the time anew with each
 * report that it goes on.
 */
export const TASK_DEADLINES_MS: Readonly<Record<TaskState, number>> = {
  scheduling: MINUTE_MS,
  spawning: 10 * MINUTE_MS,
  deleting: 3 * MINUTE_MS,
  'soft-deleting': 3 * MINUTE_MS,
  restoring: 3 * MINUTE_MS,
  'powering-off': 3 * MINUTE_MS,
  'powering-on': 3 * MINUTE_MS,
  rebooting: 3 * MINUTE_MS,
  rebooting_hard: 3 * MINUTE_MS,
  pausing: MINUTE_MS,
  unpausing: MINUTE_MS,
  suspending: 10 * MINUTE_MS,
  resuming: 10 * MINUTE_MS,
  rescuing: 10 * MINUTE_MS,
  unrescuing: 3 * MINUTE_MS,
  updating_password: MINUTE_MS,
  image_snapshot_pending: 3 * MINUTE_MS,
  image_snapshot: 120 * MINUTE_MS,
  image_pending_upload: 120 * MINUTE_MS,
  image_uploading: 120 * MINUTE_MS,
  image_backup: 120 * MINUTE_MS,
  rebuilding: 10 * MINUTE_MS,
  rebuild_block_device_mapping: 10 * MINUTE_MS,
  rebuild_spawning: 10 * MINUTE_MS,
  shelving: 3 * MINUTE_MS,
  shelving_image_pending_upload: 120 * MINUTE_MS,
  shelving_image_uploading: 120 * MINUTE_MS,
  shelving_offloading: 3 * MINUTE_MS,
  unshelving: 10 * MINUTE_MS,
  migrating: 60 * MINUTE_MS,
  resize_prep: 10 * MINUTE_MS,
  resize_migrating: 60 * MINUTE_MS,
  resize_migrated: 10 * MINUTE_MS,
  resize_finish: 10 * MINUTE_MS,
  resize_confirming: 3 * MINUTE_MS,
  resize_reverting: 10 * MINUTE_MS,
};

/** What a task that ran out of time did not do: `The server ... in time`. */
export const TASK_UNDONE: Readonly<Record<TaskState, string>> = {
  scheduling: 'was not placed',
  spawning: 'was not built',
  deleting: 'was not deleted',
  'soft-deleting': 'was not deleted',
  restoring: 'was not restored',
  'powering-off': 'was not stopped',
  'powering-on': 'was not started',
  rebooting: 'was not rebooted',
  rebooting_hard: 'was not rebooted',
  pausing: 'was not paused',
  unpausing: 'was not unpaused',
  suspending: 'was not suspended',
  resuming: 'was not resumed',
  rescuing: 'was not rescued',
  unrescuing: 'was not brought back from its rescue',
  updating_password: 'was not given its password',
  image_snapshot_pending: 'was not copied to an image',
  image_snapshot: 'was not copied to an image',
  image_pending_upload: 'was not copied to an image',
  image_uploading: 'was not copied to an image',
  image_backup: 'was not copied to an image',
  rebuilding: 'was not rebuilt',
  rebuild_block_device_mapping: 'was not rebuilt',
  rebuild_spawning: 'was not rebuilt',
  shelving: 'was not shelved',
  shelving_image_pending_upload: 'was not shelved',
  shelving_image_uploading: 'was not shelved',
  shelving_offloading: 'was not taken off its host',
  unshelving: 'was not unshelved',
  migrating: 'was not migrated',
  resize_prep: 'was not resized',
  resize_migrating: 'was not resized',
  resize_migrated: 'was not resized',
  resize_finish: 'was not resized',
  resize_confirming: 'was not settled in its new size',
  resize_reverting: 'was not brought back to its old size',
};

/** Tasks that leave the guest as it is: given up, they leave the server so, too. */
export const HARMLESS_TASKS: readonly TaskState[] = [
  'image_snapshot_pending',
  'image_snapshot',
  'image_pending_upload',
  'image_uploading',
  'image_backup',
  'updating_password',
];

/** Notes that a task of a server is under way, and by when it must be done. */
export function beginTask(ctx: Context, serverId: string, task: TaskState): Statement {
  const now = ctx.clock.nowMs();
  return ctx.db.run(sql`
    UPDATE servers SET task_state = ${task}, task_deadline_ms = ${now + TASK_DEADLINES_MS[task]}, updated_at_ms = ${now}
    WHERE id = ${serverId}`);
}
