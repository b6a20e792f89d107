import { writeFileSync } from 'node:fs';
import type { SerializedError } from 'vitest';
import type { Reporter, TestModule, TestSuite } from 'vitest/node';

/** Where the reporter writes what a lane came to, as a `LaneReport`. */
export const REPORT_VARIABLE = 'AEROSTAT_LANE_REPORT';

export interface Failure {
  /** The file and the names that lead to the test, or what else went wrong. */
  what: string;
  /** The first line of its error. */
  why: string;
}

export interface LaneReport {
  passed: number;
  skipped: number;
  failures: Failure[];
}

const firstLine = (errors: readonly { message: string }[]) =>
  errors[0]?.message.trim().split('\n', 1)[0] || 'no message';

/** A vitest reporter: counts what ran and keeps every failure, those outside of tests (hooks, imports, strays) too. */
export default class LaneReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], strays: readonly SerializedError[]): void {
    const report: LaneReport = { passed: 0, skipped: 0, failures: [] };
    for (const module of modules) this.#addModule(module, report);
    for (const stray of strays) report.failures.push({ what: 'outside of any test', why: firstLine([stray]) });
    writeFileSync(process.env[REPORT_VARIABLE] ?? '', JSON.stringify(report));
  }

  #addModule(module: TestModule, report: LaneReport): void {
    const file = module.relativeModuleId;
    const addErrors = (what: string, { errors }: { errors: readonly { message: string }[] }) =>
      report.failures.push({ what, why: firstLine(errors) });
    const suites: (TestModule | TestSuite)[] = [module, ...module.children.allSuites()];
    for (const suite of suites) {
      const errors = suite.errors();
      const name = suite.type === 'module' ? file : `${file} > ${suite.fullName}`;
      if (errors.length > 0) addErrors(name, { errors });
    }
    for (const test of module.children.allTests()) {
      const { state, errors } = test.result();
      const name = `${file} > ${test.fullName}`;
      if (state === 'passed') report.passed += 1;
      else if (state === 'skipped') report.skipped += 1;
      else if (state === 'failed') addErrors(name, { errors });
      else report.failures.push({ what: name, why: 'it did not run to its end' });
    }
  }
}
