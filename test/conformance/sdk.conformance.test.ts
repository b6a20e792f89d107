import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { run } from '../../runner/host/run.ts';
import { type Cloud, startCloud } from '../cloud.ts';

const SCRIPT = join(import.meta.dirname, 'sdk_journey.py');
const STEPS = ['operators', 'identity', 'flavors', 'images', 'networks', 'keys', 'servers', 'leave'];
const SCRIPT_TIMEOUT_MS = 180_000;

let cloud: Cloud;

beforeAll(async () => {
  cloud = await startCloud();
  await cloud.runners({ hypervisor: 'simulated', count: 2 });
});
afterAll(async () => {
  await cloud?.stop();
});

it('openstacksdk leads a tenant from an empty project to an empty project', async () => {
  const { stdout } = await run('/usr/bin/python3', [SCRIPT], {
    env: { PATH: '/usr/bin:/bin', OS_CLIENT_CONFIG_FILE: cloud.paths.clouds, HOME: cloud.paths.stateDir },
    timeout_ms: SCRIPT_TIMEOUT_MS,
  });
  expect(stdout.trim().split('\n')).toEqual(STEPS.map((step) => `ok ${step}`));
});
