import { type SQL, sql } from 'drizzle-orm';
import { runBatch } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { authorize } from '../../http/policy.ts';
import { policy } from '../policy.ts';
import type { Family } from './render-exposition.ts';

/** A family, and the rows that are its figures: a column `value`, and others for its labels. */
interface Source extends Omit<Family, 'figures'> {
  query: SQL;
}

const MIB = 1_048_576;
const GIB = 1_073_741_824;

/** What an operator watches: machines, what they hold, and whatever waits to be done. @throws ApiError 403 */
export async function operatorFigures(ctx: ActorContext): Promise<Family[]> {
  authorize(ctx, policy, 'metering:prometheus:show');
  const sources = [...ofMachines(ctx.region), ...ofWork(ctx.region, ctx.clock.nowMs())];
  const found = (await runBatch(
    ctx.db,
    sources.map(({ query }) => ctx.db.all(query)),
  )) as ({ value: number } & Record<string, string>)[][];
  return sources.map(({ name, type, help }, at) => ({
    ...{ name, type, help },
    figures: (found[at] ?? []).map(({ value, ...labels }) => ({ labels, value })),
  }));
}

function ofMachines(region: string): Source[] {
  const each = (name: string, help: string, value: SQL): Source => ({
    ...{ name: `aerostat_runner_${name}`, type: 'gauge', help },
    query: sql`SELECT name AS runner, zone, ${value} AS value FROM runners WHERE region = ${region} AND state <> 'removed' AND ${value} IS NOT NULL ORDER BY name`,
  });
  return [
    each('up', 'Whether the machine is connected.', sql`connected`),
    each('enabled', 'Whether it takes new servers.', sql`(state = 'enabled' AND forced_down = 0)`),
    each('last_seen_seconds', 'When it was last heard, in seconds since 1970.', sql`last_seen_at_ms / 1000.0`),
    each('servers', 'Guests that it says it runs.', sql`guests`),
    each('vcpus', 'Processors that may be handed out.', sql`vcpus_allocatable`),
    each('vcpus_claimed', 'Processors that are handed out.', sql`vcpus_claimed`),
    each('memory_bytes', 'Memory that may be handed out.', sql`memory_mib_allocatable * ${MIB}`),
    each('memory_claimed_bytes', 'Memory that is handed out.', sql`memory_mib_claimed * ${MIB}`),
    each('disk_bytes', 'Disk that may be handed out.', sql`disk_gib_allocatable * ${GIB}`),
    each('disk_claimed_bytes', 'Disk that is handed out.', sql`disk_gib_claimed * ${GIB}`),
    each('unknown_objects', 'Things on it that the database does not know.', sql`json_array_length(unknown_objects)`),
    each(
      'objects_pending',
      'Objects that it should hold and has not reported in force.',
      sql`(SELECT count(*) FROM desired WHERE runner_id = runners.id AND (deleted = 1 OR applied_generation IS NOT desired.generation))`,
    ),
    each(
      'metered_through_seconds',
      'Up to when its usage is sealed, in seconds since 1970: later usage cannot be billed yet.',
      sql`(SELECT sealed_through_ms / 1000.0 FROM meter_progress WHERE runner_id = runners.id)`,
    ),
  ];
}

function ofWork(region: string, nowMs: number): Source[] {
  const source = (name: string, help: string, query: SQL, type: Source['type'] = 'gauge'): Source => ({
    ...{ name: `aerostat_${name}`, type, help, query },
  });
  return [
    source(
      'servers',
      'Servers by their state at rest.',
      sql`SELECT vm_state AS state, count(*) AS value FROM servers WHERE region = ${region} AND deleted_at_ms IS NULL GROUP BY 1 ORDER BY 1`,
    ),
    source(
      'operations_open',
      'Operations that machines have not ended.',
      sql`SELECT kind, count(*) AS value FROM operations WHERE region = ${region} AND state IN ('queued', 'accepted') GROUP BY 1 ORDER BY 1`,
    ),
    source(
      'meter_refusals_total',
      'Samples that were refused.',
      sql`SELECT runners.name AS runner, reason, sum(count) AS value FROM meter_refusals JOIN runners ON runners.id = runner_id
        WHERE meter_refusals.region = ${region} GROUP BY 1, 2 ORDER BY 1, 2`,
      'counter',
    ),
    source(
      'subscriptions_overdue',
      'Subscriptions that should have been charged by now.',
      sql`SELECT count(*) AS value FROM billing_subscriptions WHERE region = ${region} AND due_ms <= ${nowMs}`,
    ),
    source(
      'subscriptions_faulted',
      'Subscriptions that could not be rated: their invoices wait a week for them.',
      sql`SELECT count(*) AS value FROM billing_subscriptions WHERE region = ${region} AND fault IS NOT NULL`,
    ),
    source(
      'webhook_deliveries_pending',
      'Deliveries that wait for their next try.',
      sql`SELECT count(*) AS value FROM webhook_deliveries JOIN webhook_endpoints ON webhook_endpoints.id = endpoint_id
        WHERE region = ${region} AND status = 'pending' AND webhook_deliveries.life = webhook_endpoints.life
          AND enabled = 1`,
    ),
    source(
      'webhook_endpoints_disabled',
      'Endpoints that get nothing any more.',
      sql`SELECT count(*) AS value FROM webhook_endpoints WHERE region = ${region} AND enabled = 0 AND deleted_at_ms IS NULL`,
    ),
  ];
}
