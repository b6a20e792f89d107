import type { Statement } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { badRequest, conflict } from '../../http/errors.ts';
import { isAdmin } from '../../http/policy.ts';
import { securityGroupNotFound } from '../faults.ts';
import { DEFAULT_GROUP_NAME, type GroupRow, insertGroup, newDefaultGroup } from '../security-groups/new-group.ts';

/** What decides a port's groups. */
export interface GroupWish {
  projectId: string;
  /** Undefined: the project's default group, unless the port is the network's own. */
  wanted: string[] | undefined;
  deviceOwner: string;
  portSecurityEnabled: boolean;
  addresses: number;
}

const NETWORK_DEVICE = /^network:/;

/**
 * The ids of a port's groups.
 * @param found - groups read; a default group made here joins it, so that it is made once
 * @param made - takes the statements that make it
 * @throws ApiError 400 groups without port security or address, 404 no such group of the project
 */
export function chooseGroups(ctx: ActorContext, wish: GroupWish, found: GroupRow[], made: Statement[]): string[] {
  const secured = wish.portSecurityEnabled && wish.addresses > 0;
  if (wish.wanted === undefined) {
    const needed = secured && !NETWORK_DEVICE.test(wish.deviceOwner);
    return needed ? [defaultGroup(ctx, wish.projectId, found, made)] : [];
  }
  if (wish.wanted.length > 0 && !secured) throw invalidGroups();
  for (const id of wish.wanted) {
    const group = found.find((one) => one.id === id);
    if (!group || (group.projectId !== wish.projectId && !isAdmin(ctx))) throw securityGroupNotFound(id);
  }
  return wish.wanted;
}

/** @throws ApiError 409 where port security would go while groups stay */
export function refuseGroupsWithoutSecurity(portSecurityEnabled: boolean, addresses: number, groups: string[]): void {
  if (groups.length === 0 || (portSecurityEnabled && addresses > 0)) return;
  throw conflict(
    'Port has security group associated. Cannot disable port security or IP address until security group is removed.',
    'PortSecurityPortHasSecurityGroup',
  );
}

function defaultGroup(ctx: ActorContext, projectId: string, found: GroupRow[], made: Statement[]): string {
  const group = found.find((one) => one.projectId === projectId && one.name === DEFAULT_GROUP_NAME);
  if (group) return group.id;
  const fresh = newDefaultGroup(ctx, projectId);
  found.push(fresh.group);
  made.push(...insertGroup(ctx, fresh));
  return fresh.group.id;
}

const invalidGroups = () =>
  badRequest(
    'Port security must be enabled and port must have an IP address in order to use security groups.',
    'PortSecurityAndIPRequiredForSecurityGroups',
  );
