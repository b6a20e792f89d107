import { type SQL, sql } from 'drizzle-orm';
import type { Statement } from '../http/commit.ts';
import type { Context } from '../http/context.ts';
import { CLEARED_MAX } from './limits.ts';

/**
 * Clears away after endpoints that were disabled or deleted, so much at a time, however much there is: deliveries of a life
 * that is over are given up; those of one that was deleted go, and at last its row.
 * @param id - of this endpoint alone; absent: of all the region's
 */
export function clearEndpoints(ctx: Context, id?: string): Statement[] {
  const one = id === undefined ? sql`` : sql`AND endpoint.id = ${id}`;
  const clearing = sql`endpoint.region = ${ctx.region} AND endpoint.clearing_since_ms IS NOT NULL ${one}`;
  const disabled = sql`${clearing} AND endpoint.deleted_at_ms IS NULL`;
  const deleted = sql`${clearing} AND endpoint.deleted_at_ms IS NOT NULL`;
  return [
    ctx.db.run(sql`
      UPDATE webhook_deliveries SET status = 'failed', reason = 'endpoint-disabled', claim = NULL, next_attempt_ms = NULL,
        finished_at_ms = ${ctx.clock.nowMs()} WHERE id IN ${some(sql`${disabled} AND ${OVER}`)}`),
    ctx.db.run(sql`DELETE FROM webhook_deliveries WHERE id IN ${some(deleted)}`),
    ctx.db.run(sql`
      DELETE FROM webhook_endpoints AS endpoint WHERE ${deleted}
        AND NOT EXISTS (SELECT 1 FROM webhook_deliveries AS waiting WHERE waiting.endpoint_id = endpoint.id)`),
    ctx.db.run(sql`
      UPDATE webhook_endpoints AS endpoint SET clearing_since_ms = NULL WHERE ${disabled}
        AND NOT EXISTS (SELECT 1 FROM webhook_deliveries AS waiting WHERE waiting.endpoint_id = endpoint.id AND ${OVER})`),
  ];
}

/** It waits from a life of its endpoint that is over. */
const OVER = sql`waiting.status = 'pending' AND waiting.life < endpoint.life`;

/** Deliveries of endpoints, the endpoints first: they are few. */
const some = (which: SQL): SQL => sql`(
  SELECT waiting.id FROM webhook_endpoints AS endpoint CROSS JOIN webhook_deliveries AS waiting ON waiting.endpoint_id = endpoint.id
  WHERE ${which} LIMIT ${CLEARED_MAX})`;
