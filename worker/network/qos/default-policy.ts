import { ConstraintFailed } from '../../http/commit.ts';
import { conflict } from '../../http/errors.ts';

/** The project has a default policy already; other errors as they are. */
export function secondDefault(error: unknown, projectId: string): unknown {
  if (!(error instanceof ConstraintFailed) || !error.constraint.startsWith('qos_policies.')) return error;
  return conflict(`A default QoS policy exists for project ${projectId}.`, 'QoSPolicyDefaultAlreadyExists');
}
