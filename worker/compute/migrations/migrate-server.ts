import type { ActorContext } from '../../http/context.ts';
import { badRequest } from '../../http/errors.ts';
import { authorize } from '../../http/policy.ts';
import { policy } from '../policy.ts';
import { beginMove } from './begin-move.ts';

/**
 * Moves a server to another host with its guest off. It then waits to be confirmed, with its old disk kept.
 * @param host - the host by name, or null for any other
 * @throws ApiError 400 no such host, or none that is good; 404; 409
 */
export async function migrateServer(ctx: ActorContext, id: string, host: string | null): Promise<void> {
  const cold = 'os_compute_api:os-migrate-server:migrate';
  if (host !== null) authorize(ctx, policy, 'os_compute_api:os-migrate-server:migrate:host');
  await beginMove(ctx, id, {
    verb: 'migrate',
    policyAction: cold,
    allowed: { vmStates: ['active', 'stopped'], launched: true },
    type: 'migration',
    action: 'migrate',
    task: 'resize_prep',
    status: 'pre-migrating',
    host,
    flavor: null,
  });
}

/**
 * Moves a server to another host as it runs, with its disk.
 * @throws ApiError 400 no such host, none that is good, or disks that are not to be moved; 404; 409
 */
export async function liveMigrateServer(
  ctx: ActorContext,
  id: string,
  of: { host: string | null; blockMigration: boolean | 'auto' },
): Promise<void> {
  if (of.blockMigration === false) {
    throw badRequest(
      `The host of instance ${id} is not on shared storage: Live migration can not be used without shared storage except a booted from volume VM which does not have a local disk.`,
    );
  }
  await beginMove(ctx, id, {
    verb: 'os-migrateLive',
    policyAction: 'os_compute_api:os-migrate-server:migrate_live',
    allowed: { vmStates: ['active', 'paused'], launched: true },
    type: 'live-migration',
    action: 'live-migration',
    task: 'migrating',
    status: 'preparing',
    host: of.host,
    flavor: null,
  });
}
