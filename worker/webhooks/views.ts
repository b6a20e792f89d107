import type { webhookAttempts } from '../../db/schema/webhooks.ts';
import { iso, isoOrNull } from '../http/times.ts';
import type { DeliveryRow, EndpointRow } from './claim-deliveries.ts';
import type { SecretRow } from './keys.ts';

export type AttemptRow = typeof webhookAttempts.$inferSelect;
/** An endpoint with what is known of its secrets. */
export interface Endpoint {
  row: EndpointRow;
  secrets: SecretRow[];
}

/** What may be told of a secret again and again. */
export const secretView = (row: SecretRow) => ({
  id: row.id,
  type: row.type,
  public_key: row.publicKey,
  created_at: iso(row.createdAtMs),
  expires_at: isoOrNull(row.expiresAtMs),
});

export const endpointView = ({ row, secrets }: Endpoint) => ({
  id: row.id,
  scope: row.projectId === null ? 'region' : 'project',
  project_id: row.projectId,
  url: row.url,
  description: row.description,
  events: row.events,
  enabled: row.enabled,
  disabled_reason: row.disabledReason,
  disabled_at: isoOrNull(row.disabledAtMs),
  failing_since: isoOrNull(row.failingSinceMs),
  paused_until: isoOrNull(row.pausedUntilMs),
  secrets: secrets.map(secretView),
  created_by: row.createdBy,
  created_at: iso(row.createdAtMs),
  updated_at: iso(row.updatedAtMs),
});

export const deliveryView = (row: DeliveryRow) => ({
  id: row.id,
  endpoint_id: row.endpointId,
  event_id: row.eventId,
  type: row.type,
  status: row.status,
  /** Why it was given up. */
  reason: row.reason,
  last_status: row.lastStatus,
  attempt_count: row.attempts,
  next_attempt_at: isoOrNull(row.nextAttemptMs),
  replay_id: row.replayId,
  created_at: iso(row.createdAtMs),
  finished_at: isoOrNull(row.finishedAtMs),
});

const attemptView = (row: AttemptRow) => ({
  number: row.number,
  at: iso(row.atMs),
  duration_ms: row.durationMs,
  status: row.status,
  error: row.error,
  answer: row.answer,
});

/** A delivery with its payload, as it was or will be sent, and every attempt. */
export const deliveryDetailView = (of: { row: DeliveryRow; payload: string | null; attempts: AttemptRow[] }) => ({
  ...deliveryView(of.row),
  payload: of.payload,
  attempts: of.attempts.map(attemptView),
});
