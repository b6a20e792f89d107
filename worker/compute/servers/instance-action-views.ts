import type { Rendering } from '../http/env.ts';
import type { ActionRow, EventRow } from './instance-actions.ts';
import { hostIdOf, novaTime } from './views.ts';

/** An action in a list. */
export function actionView(row: ActionRow, { version }: Rendering) {
  return {
    action: row.action,
    instance_uuid: row.serverId,
    request_id: row.requestId,
    user_id: row.userId,
    project_id: row.projectId,
    start_time: novaTime(row.startedAtMs),
    message: row.message,
    ...(version >= 58 ? { updated_at: novaTime(row.updatedAtMs) } : {}),
  };
}

function eventView(row: EventRow, projectId: string, { version, admin }: Rendering) {
  return {
    event: row.event,
    start_time: novaTime(row.startedAtMs),
    finish_time: row.finishedAtMs === null ? null : novaTime(row.finishedAtMs),
    result: row.result,
    ...(admin ? { traceback: null } : {}),
    ...(version >= 62 ? { ...(admin ? { host: row.host } : {}), hostId: hostIdOf(row.host, projectId) } : {}),
    ...(version >= 84 ? { details: row.details } : {}),
  };
}

/** An action with its events, which before 2.51 are for operators alone. */
export function actionDetailView(
  of: { action: ActionRow; events: EventRow[]; projectId: string },
  rendering: Rendering,
) {
  const shown = rendering.admin || rendering.version >= 51;
  return {
    ...actionView(of.action, rendering),
    ...(shown ? { events: of.events.map((event) => eventView(event, of.projectId, rendering)) } : {}),
  };
}
