import { badRequest } from '../../http/errors.ts';
import { forbiddenAction } from '../http/forbidden-action.ts';
import type { RoleRow } from '../roles/views.ts';
import type { Trust } from './read-trust.ts';
import type { TrustToCreate } from './trust-body.ts';

/** Trusts that may follow one another from a first one. */
export const REDELEGATION_MAX = 3;

/** How many trusts may follow a new one. @throws ApiError 400, 403 */
export function depthOf(input: TrustToCreate, parent: Trust | undefined): number {
  if (!input.redelegates) return 0;
  if (input.remainingUses !== null) throw badRequest('remaining_uses must not be set if redelegation is allowed');
  const { redelegationCount } = input;
  if (redelegationCount !== null && redelegationCount > REDELEGATION_MAX) throw forbiddenAction();
  if (!parent) return redelegationCount ?? REDELEGATION_MAX;
  const left = parent.row.redelegationCount - 1;
  if (redelegationCount !== null && redelegationCount !== left) throw forbiddenAction();
  return left;
}

/** Checks that a trust gives no more than the one it is made with. @throws ApiError 403 */
export function requireWithin(parent: Trust, input: TrustToCreate, roles: readonly RoleRow[]): void {
  const { row } = parent;
  const { expiresAtMs } = input;
  const longer = expiresAtMs !== null && row.expiresAtMs !== null && expiresAtMs > row.expiresAtMs;
  const more = roles.some(({ id }) => !row.roleIds.includes(id));
  const impersonates = input.impersonation && !row.impersonation;
  const elsewhere = input.projectId !== row.projectId;
  if (row.redelegationCount <= 0 || input.remainingUses !== null || longer || more || impersonates || elsewhere) {
    throw forbiddenAction();
  }
}
