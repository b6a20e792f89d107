import { cpSync, mkdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { startCloud } from '../cloud.ts';
import { startScenarioCloud } from './scenario-cloud.ts';
import { runTempest, type TempestResult } from './tempest.ts';

const RUN_TIMEOUT_MS = 3 * 3_600_000;
/** Enough to migrate between, and for one to be taken out of service. */
export const SIMULATED_MACHINES = 3;
/** Two, that a guest may be on the other one. */
export const REAL_MACHINES = 2;
/** Of one test with guests, which take minutes to boot where others do and the machine has no KVM. */
const SCENARIO_TIMEOUT_S = 900;

/** What tempest takes for granted by its own defaults (`identity.user_lockout_*`, `user_unique_last_password_count`). */
const SECURITY_COMPLIANCE = { lockout_failure_attempts: 2, lockout_duration: 5, unique_last_password_count: 2 };

/** Runs tests on a cloud of its own. @returns what became of each; see `runTempest` */
export type Stage = (
  tests: string[],
  options: { folder: string; workers: number },
) => Promise<Map<string, TempestResult>>;

/** Machines without guests: what the API says, fast. */
export const simulatedStage: Stage = async (tests, { folder, workers }) => {
  const cloud = await startCloud({
    importAllow: ['127.0.0.1/32'],
    securityCompliance: JSON.stringify(SECURITY_COMPLIANCE),
  });
  try {
    const machines = await cloud.runners({ hypervisor: 'simulated', count: SIMULATED_MACHINES });
    console.log(`${tests.length} tests, against ${cloud.url}`);
    const options = { runners: SIMULATED_MACHINES, timeout_ms: RUN_TIMEOUT_MS, folder, workers };
    const results = await runTempest(cloud, tests, options);
    keepLogs(folder, [cloud.paths.logs, machines.logFile]);
    return results;
  } finally {
    await cloud.stop();
  }
};

/** Real machines with real guests, that tests log in to. */
export const scenarioStage: Stage = async (tests, { folder, workers }) => {
  const scenario = await startScenarioCloud(REAL_MACHINES);
  try {
    const { cloud, outside, tempest } = scenario;
    console.log(`${tests.length} tests with guests, against ${cloud.url}`);
    const results = await runTempest(cloud, tests, {
      ...{ runners: REAL_MACHINES, netns: outside.netns, more: tempest },
      ...{ timeout_ms: RUN_TIMEOUT_MS, testTimeout_s: SCENARIO_TIMEOUT_S, folder, workers },
    });
    keepLogs(folder, [cloud.paths.logs, ...scenario.machines.map(({ runner }) => runner.logFile)]);
    return results;
  } finally {
    await scenario.close();
  }
};

function keepLogs(folder: string, logs: string[]): void {
  mkdirSync(join(folder, 'logs'), { recursive: true });
  for (const log of logs) cpSync(log, join(folder, 'logs', basename(log)), { recursive: true });
}
