import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Cloud, startCloud } from '../cloud.ts';
import { plainName, runTempest, type TempestResult, testsIn } from './tempest.ts';

const LIST = join(import.meta.dirname, 'tempest.txt');

let cloud: Cloud;
let results: Map<string, TempestResult>;

beforeAll(async () => {
  cloud = await startCloud();
  await cloud.runners({ hypervisor: 'simulated', count: 2 });
  results = await runTempest(cloud, LIST);
}, 420_000);
afterAll(async () => {
  await cloud?.stop();
});

describe('tests of the guideline 2020.06', () => {
  it.each(testsIn(LIST).map(plainName))('%s', (name) => {
    const ofClass = results.get(name.replace(/\.[^.]+$/, ''));
    const result = results.get(name) ?? ofClass;
    expect(result?.outcome, result?.detail ?? 'it did not run').toBe('ok');
  });
});
