import type { Condition } from './protocol.ts';

/** What has become of a step so far. */
export type StepState = 'ok' | 'error' | 'skipped';

/** Whether a step's condition holds. A skipped step is neither ok nor in error. */
export function conditionHolds(
  condition: Condition,
  steps: readonly StepState[],
  isAutocommit: () => boolean,
): boolean {
  switch (condition.type) {
    case 'ok':
    case 'error':
      return steps[condition.step] === condition.type;
    case 'not':
      return !conditionHolds(condition.cond, steps, isAutocommit);
    case 'and':
      return condition.conds.every((cond) => conditionHolds(cond, steps, isAutocommit));
    case 'or':
      return condition.conds.some((cond) => conditionHolds(cond, steps, isAutocommit));
    case 'is_autocommit':
      return isAutocommit();
  }
}
