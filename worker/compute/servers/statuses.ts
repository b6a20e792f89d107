import type { servers } from '../../../db/schema/compute.ts';

export type VmState = (typeof servers.$inferSelect)['vmState'];
export type TaskState = NonNullable<(typeof servers.$inferSelect)['taskState']>;

const RESIZE = {
  resize_prep: 'RESIZE',
  resize_migrating: 'RESIZE',
  resize_migrated: 'RESIZE',
  resize_finish: 'RESIZE',
} as const;
const REBUILD = {
  rebuilding: 'REBUILD',
  rebuild_block_device_mapping: 'REBUILD',
  rebuild_spawning: 'REBUILD',
} as const;

/** Nova's status of each state, and of the tasks that change it. */
const STATUSES: Readonly<Record<VmState, { default: string } & Partial<Record<TaskState, string>>>> = {
  active: {
    default: 'ACTIVE',
    rebooting: 'REBOOT',
    rebooting_hard: 'HARD_REBOOT',
    updating_password: 'PASSWORD',
    migrating: 'MIGRATING',
    ...REBUILD,
    ...RESIZE,
  },
  building: { default: 'BUILD' },
  stopped: { default: 'SHUTOFF', ...RESIZE, ...REBUILD },
  resized: { default: 'VERIFY_RESIZE', resize_reverting: 'REVERT_RESIZE' },
  paused: { default: 'PAUSED', migrating: 'MIGRATING' },
  suspended: { default: 'SUSPENDED' },
  rescued: { default: 'RESCUE' },
  shelved: { default: 'SHELVED' },
  shelved_offloaded: { default: 'SHELVED_OFFLOADED' },
  'soft-delete': { default: 'SOFT_DELETED' },
  error: { default: 'ERROR', ...REBUILD },
  deleted: { default: 'DELETED' },
};

/** Statuses under which Nova shows how far a server is. */
export const PROGRESS_STATUSES: ReadonlySet<string> = new Set([
  'ACTIVE',
  'BUILD',
  'REBUILD',
  'RESIZE',
  'VERIFY_RESIZE',
  'MIGRATING',
]);
/** Statuses under which Nova shows what went wrong. */
export const FAULT_STATUSES: ReadonlySet<string> = new Set(['ERROR', 'DELETED']);

/** The status that clients see. */
export function statusOf(vmState: VmState, taskState: TaskState | null): string {
  const statuses = STATUSES[vmState];
  return (taskState && statuses[taskState]) || statuses.default;
}

/**
 * The states that a filter by status means.
 * @returns empty `vmStates` for a status that no server has; empty `taskStates` where any task is meant
 */
export function statesOf(statuses: readonly string[]): { vmStates: VmState[]; taskStates: TaskState[] } {
  const wanted = new Set(statuses.map((status) => status.toUpperCase()));
  const vmStates = new Set<VmState>();
  const taskStates = new Set<string>();
  for (const [vmState, byTask] of Object.entries(STATUSES)) {
    for (const [task, status] of Object.entries(byTask)) {
      if (!wanted.has(status)) continue;
      vmStates.add(vmState as VmState);
      taskStates.add(task);
    }
  }
  return {
    vmStates: [...vmStates],
    taskStates: taskStates.has('default') ? [] : ([...taskStates] as TaskState[]),
  };
}
