import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Cloud, startCloud } from '../cloud.ts';
import { plainName, resultOf, runTempest, type TempestResult, testsIn } from './tempest.ts';

const TESTS = testsIn(join(import.meta.dirname, 'tempest.txt'));
const RUNNERS = 2;

let cloud: Cloud;
let results: Map<string, TempestResult>;

beforeAll(async () => {
  cloud = await startCloud({ importAllow: ['127.0.0.1/32'] });
  await cloud.runners({ hypervisor: 'simulated', count: RUNNERS });
  results = await runTempest(cloud, TESTS, { runners: RUNNERS });
}, 420_000);
afterAll(async () => {
  await cloud?.stop();
});

describe('tests of the guideline 2020.06', () => {
  it.each(TESTS.map(plainName))('%s', (name) => {
    const result = resultOf(results, name);
    expect(result?.outcome, result?.detail ?? 'it did not run').toBe('ok');
  });
});
