import { conditionHolds, type StepState } from './conditions.ts';
import { toHranaError } from './errors.ts';
import type { Condition } from './protocol.ts';
import { resultText } from './results.ts';
import type { StatementRunner } from './runners.ts';
import type { BoundStatement, KnownStatement } from './statements.ts';

/** Work of one request on a stream: it may be run again from its start, if what it did was rolled back. */
export interface Unit {
  statements: readonly KnownStatement[];
  /** Runs, and returns the JSON text of a Hrana StreamResult; an error of a statement is a result. */
  run(runner: StatementRunner): string;
}

/** A step of a batch with its statement found; a statement that could not be found fails when its turn comes. */
export interface PreparedStep {
  condition: Condition | undefined;
  statement: BoundStatement | undefined;
  error: unknown;
}

/** Hrana's StreamResult for a response whose fields are given as JSON text. */
export function okText(type: string, fields = ''): string {
  return `{"type":"ok","response":{"type":"${type}"${fields}}}`;
}

/** Hrana's StreamResult for an error. */
export function errorText(error: unknown): string {
  return `{"type":"error","error":${toHranaError(error).toJsonText()}}`;
}

/** One statement. */
export function executeUnit(statement: BoundStatement): Unit {
  return {
    statements: [statement],
    run(runner) {
      try {
        return okText('execute', `,"result":${resultText(runner.run(statement))}`);
      } catch (error) {
        return errorText(error);
      }
    },
  };
}

/** Statements one after another until one fails; rows are ignored. */
export function sequenceUnit(statements: readonly BoundStatement[]): Unit {
  return {
    statements,
    run(runner) {
      try {
        for (const statement of statements) runner.run(statement);
        return okText('sequence');
      } catch (error) {
        return errorText(error);
      }
    },
  };
}

/** Statements each under its condition; every one has its result or its error. */
export function batchUnit(steps: readonly PreparedStep[]): Unit {
  return {
    statements: steps.flatMap(({ statement }) => (statement === undefined ? [] : [statement])),
    run(runner) {
      const states: StepState[] = [];
      const results: string[] = [];
      const errors: string[] = [];
      for (const [index, step] of steps.entries()) {
        states[index] = 'skipped';
        results[index] = errors[index] = 'null';
        if (step.condition !== undefined && !conditionHolds(step.condition, states, () => runner.autocommit)) continue;
        try {
          if (step.statement === undefined) throw step.error;
          results[index] = resultText(runner.run(step.statement));
          states[index] = 'ok';
        } catch (error) {
          errors[index] = toHranaError(error).toJsonText();
          states[index] = 'error';
        }
      }
      return okText('batch', `,"result":{"step_results":[${results}],"step_errors":[${errors}]}`);
    },
  };
}
