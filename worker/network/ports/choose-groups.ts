import type { Statement } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { badRequest, conflict } from '../../http/errors.ts';
import { isAdmin } from '../../http/policy.ts';
import { securityGroupNotFound } from '../faults.ts';
import { EVERYONE } from '../rbac/shared-with.ts';
import { DEFAULT_GROUP_NAME, type GroupRow, insertGroup, newDefaultGroup } from '../security-groups/new-group.ts';

/** What decides a port's groups. */
export interface GroupWish {
  projectId: string;
  /** Undefined: the project's default group, unless the port is the network's own. */
  wanted: string[] | undefined;
  deviceOwner: string;
  portSecurityEnabled: boolean;
}

/** A group, and the projects that policies share it with. */
export type SharedGroup = GroupRow & { sharedWith: string[] };

const usable = (ctx: ActorContext, group: SharedGroup, projectId: string): boolean =>
  group.projectId === projectId ||
  isAdmin(ctx) ||
  group.sharedWith.some((target) => target === EVERYONE || target === projectId);

const NETWORK_DEVICE = /^network:/;

/**
 * The ids of a port's groups.
 * @param found - groups read; a default group made here joins it, so that it is made once
 * @param made - takes the statements that make it
 * @throws ApiError 400 groups without port security, 404 no such group of the project
 */
export function chooseGroups(ctx: ActorContext, wish: GroupWish, found: SharedGroup[], made: Statement[]): string[] {
  if (wish.wanted === undefined) {
    const needed = wish.portSecurityEnabled && !NETWORK_DEVICE.test(wish.deviceOwner);
    return needed ? [defaultGroup(ctx, wish.projectId, found, made)] : [];
  }
  if (wish.wanted.length > 0 && !wish.portSecurityEnabled) throw invalidGroups();
  for (const id of wish.wanted) {
    const group = found.find((one) => one.id === id);
    if (!group || !usable(ctx, group, wish.projectId)) throw securityGroupNotFound(id);
  }
  return wish.wanted;
}

/** The groups read that a client named. */
export const namedGroups = (found: { groups: SharedGroup[] }, ids: string[]): SharedGroup[] =>
  found.groups.filter((group) => ids.includes(group.id));

/** @throws ApiError 409 where port security would go while groups stay */
export function refuseGroupsWithoutSecurity(portSecurityEnabled: boolean, groups: string[]): void {
  if (groups.length === 0 || portSecurityEnabled) return;
  throw conflict(
    'Port has security group associated. Cannot disable port security or IP address until security group is removed.',
    'PortSecurityPortHasSecurityGroup',
  );
}

function defaultGroup(ctx: ActorContext, projectId: string, found: SharedGroup[], made: Statement[]): string {
  const group = found.find((one) => one.projectId === projectId && one.name === DEFAULT_GROUP_NAME);
  if (group) return group.id;
  const fresh = newDefaultGroup(ctx, projectId);
  found.push({ ...fresh.group, sharedWith: [] });
  made.push(...insertGroup(ctx, fresh));
  return fresh.group.id;
}

const invalidGroups = () =>
  badRequest(
    'Port security must be enabled and port must have an IP address in order to use security groups.',
    'PortSecurityAndIPRequiredForSecurityGroups',
  );
