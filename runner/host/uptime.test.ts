import { expect, it } from 'vitest';
import { uptimeText } from './uptime.ts';

const NOON_MS = Date.UTC(2026, 0, 1, 12, 0, 5);
const load = [0.5, 0.25, 0.125];

it.each([
  [59, ' 12:00:05 up 0:00,  0 users,  load average: 0.50, 0.25, 0.13'],
  [3_660, ' 12:00:05 up 1:01,  0 users,  load average: 0.50, 0.25, 0.13'],
  [90_000, ' 12:00:05 up 1 day, 1:00,  0 users,  load average: 0.50, 0.25, 0.13'],
  [172_800, ' 12:00:05 up 2 days, 0:00,  0 users,  load average: 0.50, 0.25, 0.13'],
])('%i seconds after its boot a machine says so', (upS, text) => {
  expect(uptimeText({ nowMs: NOON_MS, upS, load })).toBe(text);
});
