import { z } from 'zod';
import { updateRunner } from '../../fleet/update-runner.ts';
import type { ActorContext } from '../../http/context.ts';
import { badRequest, notFound } from '../../http/errors.ts';
import { authorize } from '../../http/policy.ts';
import type { Microversion } from '../http/microversion.ts';
import { last, type Query, refuseUnknown } from '../http/paging.ts';
import { policy } from '../policy.ts';
import { type HostRow, hostRows } from './find-hosts.ts';

const reason = z.string().min(1).max(255);

/** From 2.53 the id is in the path. */
export const serviceByIdBody = z.strictObject({
  status: z.enum(['enabled', 'disabled']).optional(),
  disabled_reason: reason.optional(),
  forced_down: z.boolean().optional(),
});
/** Before, the service is named by its host. */
export const serviceByHostBody = z.strictObject({
  host: z.string().min(1).max(255),
  binary: z.string().min(1).max(255),
  disabled_reason: reason.optional(),
});

/** The region's machines as compute services. */
export async function listServices(ctx: ActorContext, query: Query, version: Microversion): Promise<HostRow[]> {
  authorize(ctx, policy, 'os_compute_api:os-services:list');
  refuseUnknown(query, ['host', 'binary'], version);
  const binary = last(query, 'binary');
  if (binary && binary !== 'nova-compute') return [];
  const host = last(query, 'host');
  const rows = await hostRows(ctx);
  return host ? rows.filter((row) => row.name === host) : rows;
}

/**
 * Enables or disables a machine for new servers, by its id or its name.
 * @throws ApiError 400 nothing to change, or what is not offered; 404
 */
export async function setService(
  ctx: ActorContext,
  of: { id: string } | { host: string; binary: string },
  change: { status: 'enabled' | 'disabled' | undefined; reason: string | undefined },
): Promise<HostRow> {
  authorize(ctx, policy, 'os_compute_api:os-services:update');
  if ('binary' in of && of.binary !== 'nova-compute') {
    throw badRequest(`Updating a ${of.binary} service is not supported. Only nova-compute services can be updated.`);
  }
  if (change.status === undefined) throw badRequest("No updates were requested. Fields 'status' must be set.");
  if (change.status === 'enabled' && change.reason !== undefined) {
    throw badRequest("Specifying 'disabled_reason' when status is 'enabled' is invalid.");
  }
  const row = (await hostRows(ctx)).find((one) => ('id' in of ? one.id === of.id : one.name === of.host));
  if (!row)
    throw notFound(
      'id' in of ? `Service ${of.id} could not be found.` : `Could not find binary nova-compute on host ${of.host}.`,
    );
  await updateRunner(ctx, row.id, {
    state: change.status,
    ...(change.reason === undefined ? {} : { reason: change.reason }),
  });
  return { ...row, state: change.status, stateReason: change.reason ?? null };
}
