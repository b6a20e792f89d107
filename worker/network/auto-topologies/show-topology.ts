import type { ActorContext } from '../../http/context.ts';
import { badRequest } from '../../http/errors.ts';
import { enforce } from '../policy.ts';
import { buildTopology } from './build-topology.ts';
import { findRequirements } from './requirements.ts';
import { findTopology, projectAsked, topologyView } from './topology-rows.ts';

/** Asks only whether there could be one. */
const DRY_RUN = 'dry-run';

/**
 * The network that a project has for the asking; where it has none it is made, as in Neutron.
 * @param fields - `dry-run`, or nothing
 * @throws ApiError 400 other fields; 403 another project's, or a reader's where none is there; 409 what an operator has to make
 *   is not there, or a quota used up
 */
export async function showTopology(ctx: ActorContext, said: string, fields: string[]) {
  const projectId = projectAsked(ctx, said);
  enforce(ctx, 'get_auto_allocated_topology', { projectId });
  if (fields.some((field) => field !== DRY_RUN)) {
    throw badRequest('Bad auto_allocate request: Unrecognized field.', 'BadRequest');
  }
  if (fields.length > 0) {
    await findRequirements(ctx);
    return topologyView(projectId, 'dry-run=pass');
  }
  const row = await findTopology(ctx, projectId);
  const id = row?.networkId ?? (await buildTopology(ctx, projectId, await findRequirements(ctx)));
  return topologyView(projectId, id);
}
