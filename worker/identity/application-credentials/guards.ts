import type { Actor, ActorContext } from '../../http/context.ts';
import { forbiddenAction } from '../http/forbidden-action.ts';

/** @throws ApiError 403 for a token by a trust: what is made with it would outlive the trust */
export function refuseTrusts({ actor }: { actor: Actor }): void {
  if (actor.delegation?.type === 'trust') throw forbiddenAction();
}

/** @throws ApiError 403 for a token by an application credential that may not manage others */
export function requireUnrestricted({ actor }: ActorContext, what: string): void {
  if (actor.delegation?.type === 'application-credential' && !actor.delegation.unrestricted) {
    throw forbiddenAction(`Using method 'application_credential' is not allowed for managing additional ${what}.`);
  }
}
