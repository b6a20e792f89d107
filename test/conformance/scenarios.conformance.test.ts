import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ScenarioCloud, startScenarioCloud } from './scenario-cloud.ts';
import { plainName, resultOf, runTempest, type TempestResult, testsIn } from './tempest.ts';

/* Guests of two machines, logged in to by their floating IPs from outside. */

const MACHINES = 2;
const TESTS = testsIn(join(import.meta.dirname, 'scenarios.txt'));

let scenario: ScenarioCloud;
let results: Map<string, TempestResult>;

beforeAll(async () => {
  scenario = await startScenarioCloud(MACHINES);
  const { cloud, outside, tempest } = scenario;
  results = await runTempest(cloud, TESTS, { runners: MACHINES, netns: outside.netns, more: tempest, workers: 2 });
}, 600_000);
afterAll(async () => {
  await scenario?.close();
});

describe('scenarios of tempest', () => {
  it.each(TESTS.map(plainName))('%s', (name) => {
    const result = resultOf(results, name);
    expect(result?.outcome, result?.detail ?? 'it did not run').toBe('ok');
  });
});
