import type { ActorContext } from '../../http/context.ts';
import { ApiError } from '../../http/errors.ts';
import { deleteNetwork } from '../networks/delete-network.ts';
import { deleteRouter } from '../routers/delete-router.ts';
import { removeInterface } from '../routers/remove-interface.ts';
import { interfacesOf, showRouter } from '../routers/router-rows.ts';

/** Removes a project's network with its router. Each may be gone already. @throws ApiError 403, 409 something still uses them */
export async function takeDown(
  ctx: ActorContext,
  { networkId, routerId }: { networkId: string | null; routerId: string | null },
): Promise<void> {
  if (routerId !== null) await whereThere(() => takeRouterDown(ctx, routerId));
  if (networkId !== null) await whereThere(() => deleteNetwork(ctx, { id: networkId, expectedRevision: undefined }));
}

async function takeRouterDown(ctx: ActorContext, id: string): Promise<void> {
  const interfaces = interfacesOf(await showRouter(ctx, id));
  for (const { id: portId } of interfaces)
    await whereThere(() => removeInterface(ctx, id, { portId, subnetId: undefined }));
  await deleteRouter(ctx, { id, expectedRevision: undefined });
}

async function whereThere(remove: () => Promise<unknown>): Promise<void> {
  try {
    await remove();
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 404) throw error;
  }
}
