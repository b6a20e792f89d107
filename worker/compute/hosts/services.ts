import { z } from 'zod';
import { removeRunner } from '../../fleet/remove-runner.ts';
import { updateRunner } from '../../fleet/update-runner.ts';
import type { ActorContext } from '../../http/context.ts';
import { ApiError, badRequest, conflict, notFound } from '../../http/errors.ts';
import { authorize } from '../../http/policy.ts';
import type { Microversion } from '../http/microversion.ts';
import { last, type Query, refuseUnknown } from '../http/paging.ts';
import { boolean, uuid } from '../http/parameters.ts';
import { policy } from '../policy.ts';
import { type HostRow, hostRows, numberOf } from './find-hosts.ts';

const reason = z.string().min(1).max(255);

/** From 2.53 the id is in the path. */
export const serviceByIdBody = z.strictObject({
  status: z.enum(['enabled', 'disabled']).optional(),
  disabled_reason: reason.optional(),
  forced_down: boolean.optional(),
});
/** Before, the service is named by its host. */
export const serviceByHostBody = z.strictObject({
  host: z.string().min(1).max(255),
  binary: z.string().min(1).max(255),
  disabled_reason: reason.optional(),
});
export const forceDownBody = z.strictObject({
  host: z.string().min(1).max(255),
  binary: z.string().min(1).max(255),
  forced_down: boolean,
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

type Named = { id: string } | { host: string; binary: string };
interface ServiceChange {
  status?: 'enabled' | 'disabled' | undefined;
  reason?: string | undefined;
  forcedDown?: boolean | undefined;
}

/**
 * Enables or disables a machine for new servers, or says that it is dead or is not, by its id or its name.
 * @throws ApiError 400 nothing to change, or what does not go together; 404
 */
export async function setService(ctx: ActorContext, of: Named, change: ServiceChange): Promise<HostRow> {
  authorize(ctx, policy, 'os_compute_api:os-services:update');
  if ('binary' in of && of.binary !== 'nova-compute') {
    throw badRequest(`Updating a ${of.binary} service is not supported. Only nova-compute services can be updated.`);
  }
  const { status, reason, forcedDown } = change;
  if (status === undefined && forcedDown === undefined) {
    throw badRequest("No updates were requested. Fields 'status' or 'forced_down' must be set.");
  }
  if (status !== 'disabled' && reason !== undefined) {
    throw badRequest("Specifying 'disabled_reason' when status is 'enabled' is invalid.");
  }
  const row = await findService(ctx, of);
  await updateRunner(ctx, row.id, {
    ...(status === undefined ? {} : { state: status, ...(reason === undefined ? {} : { reason }) }),
    ...(forcedDown === undefined ? {} : { forced_down: forcedDown }),
  });
  return {
    ...row,
    ...(status === undefined ? {} : { state: status, stateReason: reason ?? null }),
    ...(forcedDown === undefined ? {} : { forcedDown }),
  };
}

/**
 * Forgets a machine that holds no servers: it is refused from then on, until it joins anew.
 * @throws ApiError 404; 409 it holds servers
 */
export async function deleteService(ctx: ActorContext, id: string, version: Microversion): Promise<void> {
  authorize(ctx, policy, 'os_compute_api:os-services:delete');
  if (version < 53 && !/^-?\d{1,15}$/.test(id)) throw badRequest('Invalid input received: id must be an integer');
  const row = await findService(ctx, version >= 53 ? { id } : { number: id });
  try {
    await removeRunner(ctx, row.id, false);
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 409) throw error;
    throw conflict(
      'Unable to delete compute service that is hosting instances. Migrate or delete the instances first.',
    );
  }
}

async function findService(ctx: ActorContext, of: Named | { number: string }): Promise<HostRow> {
  if ('id' in of && !uuid.safeParse(of.id).success) throw badRequest(`Invalid uuid ${of.id}`);
  const isMeant = (row: HostRow) =>
    'id' in of ? row.id === of.id : 'host' in of ? row.name === of.host : String(numberOf(row.id)) === of.number;
  const row = (await hostRows(ctx)).find(isMeant);
  if (row) return row;
  if ('host' in of) throw notFound(`Could not find binary nova-compute on host ${of.host}.`);
  throw notFound(`Service ${'id' in of ? of.id : of.number} could not be found.`);
}
