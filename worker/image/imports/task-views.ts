import { isoSeconds } from '../views.ts';
import type { TaskPage, TaskRow } from './tasks.ts';

/** A task in a list of tasks. */
function taskStub(row: TaskRow) {
  return {
    id: row.id,
    type: row.type,
    status: row.status,
    owner: row.projectId,
    created_at: isoSeconds(row.createdAtMs),
    updated_at: isoSeconds(row.updatedAtMs),
    self: `/v2/tasks/${row.id}`,
    schema: '/v2/schemas/task',
    ...(row.expiresAtMs === null ? {} : { expires_at: isoSeconds(row.expiresAtMs) }),
  };
}

/** A task by itself. */
export const taskView = (row: TaskRow) => ({
  ...taskStub(row),
  input: row.input,
  message: row.message,
  result: row.result,
  image_id: row.imageId,
  request_id: row.requestId,
  user_id: row.userId,
});

/** @param query - what the client asked; the links repeat it */
export function tasksView({ rows, nextMarker }: TaskPage, query: URLSearchParams) {
  const first = new URLSearchParams(query);
  first.delete('marker');
  const next = new URLSearchParams(first);
  if (nextMarker) next.set('marker', nextMarker);
  return {
    tasks: rows.map(taskStub),
    first: first.size > 0 ? `/v2/tasks?${first}` : '/v2/tasks',
    schema: '/v2/schemas/tasks',
    ...(nextMarker ? { next: `/v2/tasks?${next}` } : {}),
  };
}

/** A moment as Glance's database writes it. */
const isoMicroseconds = (ms: number) => new Date(ms).toISOString().replace('Z', '000');

/** A task of an image: the row as Glance's database has it, not as its API writes it elsewhere. */
export const imageTaskView = (row: TaskRow) => ({
  id: row.id,
  type: row.type,
  status: row.status,
  owner: row.projectId,
  input: row.input,
  result: row.result,
  message: row.message,
  image_id: row.imageId,
  request_id: row.requestId,
  user_id: row.userId,
  expires_at: row.expiresAtMs === null ? null : isoMicroseconds(row.expiresAtMs),
  created_at: isoMicroseconds(row.createdAtMs),
  updated_at: isoMicroseconds(row.updatedAtMs),
  deleted: false,
  deleted_at: null,
});
