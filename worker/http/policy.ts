import type { Actor, ActorContext, ProjectContext } from './context.ts';
import { badRequest, forbidden } from './errors.ts';

/**
 * Who may do an action. A service has one table of these, `policy.ts`, and nothing else decides.
 * - `admin`: the admin role on any scope
 * - `project-manager`, `project-member`, `project-reader`: that role (or a higher one) on the project of the target
 * - `owner`: the user whom the target belongs to, or an admin
 * - `authenticated`: any valid token
 */
export type Rule = 'admin' | 'project-manager' | 'project-member' | 'project-reader' | 'owner' | 'authenticated';
export type Policy<Action extends string> = Readonly<Record<Action, Rule>>;

/** What an action is done to; absent members do not restrict. */
export interface Target {
  projectId?: string | null;
  userId?: string;
}

/** Whether the token carries the admin role. */
export const isAdmin = (ctx: { actor: Pick<Actor, 'roles'> }): boolean => ctx.actor.roles.includes('admin');

/** Whether a rule lets the actor act on the target. */
export function allows(ctx: ActorContext, rule: Rule, target: Target = {}): boolean {
  if (isAdmin(ctx)) return true;
  switch (rule) {
    case 'admin':
      return false;
    case 'authenticated':
      return true;
    case 'owner':
      return target.userId === ctx.actor.userId;
    default: {
      const inProject = target.projectId === undefined || target.projectId === ctx.actor.projectId;
      return ctx.actor.projectId !== null && inProject && ctx.actor.roles.includes(rule.slice('project-'.length));
    }
  }
}

/**
 * Refuses what the service's table does not allow.
 * @throws ApiError 403 with the action's name, as OpenStack words it
 */
export function authorize<Action extends string>(
  ctx: ActorContext,
  policy: Policy<Action>,
  action: Action,
  target: Target = {},
): void {
  if (!allows(ctx, policy[action], target)) throw forbidden(`Policy doesn't allow ${action} to be performed.`);
}

/** Narrows to a context with a project. @throws ApiError 400 for a token without one */
export function requireProject(ctx: ActorContext): ProjectContext {
  if (ctx.actor.projectId === null) throw badRequest('This call needs a token that is scoped to a project.');
  return ctx as ProjectContext;
}
