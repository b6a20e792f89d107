import { and, eq } from 'drizzle-orm';
import { ports } from '../../../db/schema/network.ts';
import type { ActorContext } from '../../http/context.ts';
import { visiblePorts } from '../api/visibility.ts';
import { portNotFound } from '../faults.ts';
import { type PortWithPlace, selectPorts } from './port-rows.ts';

/** One port. @throws ApiError 404 where there is none that the actor sees */
export async function showPort(ctx: ActorContext, id: string): Promise<PortWithPlace> {
  const [row] = await selectPorts(ctx).where(and(eq(ports.id, id), visiblePorts(ctx)));
  if (!row) throw portNotFound(id);
  return row;
}
