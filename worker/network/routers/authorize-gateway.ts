import type { ActorContext } from '../../http/context.ts';
import type { Target } from '../../http/policy.ts';
import { enforce } from '../policy.ts';
import type { WantedGateway } from './attributes.ts';

/** What of a gateway only an admin says. @throws ApiError 403 */
export function authorizeGateway(
  ctx: ActorContext,
  action: 'create_router' | 'update_router',
  target: Target,
  wanted: WantedGateway | null | undefined,
): void {
  if (wanted?.enable_snat !== undefined) enforce(ctx, `${action}:external_gateway_info:enable_snat`, target);
  if (wanted?.external_fixed_ips !== undefined) {
    enforce(ctx, `${action}:external_gateway_info:external_fixed_ips`, target);
  }
}
