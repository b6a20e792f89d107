import type { ActorContext } from '../../http/context.ts';
import { badRequest } from '../../http/errors.ts';
import type { Target } from '../../http/policy.ts';
import { enforce } from '../policy.ts';

/**
 * Only an admin says how a router is built; and it is always so: each host routes what its own guests send, and is no other's
 * stand-in.
 * @throws ApiError 400 said otherwise, 403 by another
 */
export function authorizeKind(
  ctx: ActorContext,
  action: 'create_router' | 'update_router',
  target: Target,
  { distributed, ha }: { distributed?: boolean | undefined; ha?: boolean | undefined },
): void {
  if (distributed !== undefined) enforce(ctx, `${action}:distributed`, target);
  if (ha !== undefined) enforce(ctx, `${action}:ha`, target);
  if (distributed === false)
    throw badRequest('Invalid input for distributed. Reason: all routers are distributed here.');
  if (ha === true) throw badRequest('Invalid input for ha. Reason: no router is highly available here.');
}
