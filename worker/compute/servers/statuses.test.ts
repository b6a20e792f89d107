import { describe, expect, it } from 'vitest';
import { statesOf, statusOf } from './statuses.ts';

describe('statuses', () => {
  it.each([
    ['active', null, 'ACTIVE'],
    ['active', 'powering-off', 'ACTIVE'],
    ['active', 'rebooting', 'REBOOT'],
    ['active', 'rebooting_hard', 'HARD_REBOOT'],
    ['building', 'spawning', 'BUILD'],
    ['stopped', 'powering-on', 'SHUTOFF'],
    ['stopped', null, 'SHUTOFF'],
    ['error', 'deleting', 'ERROR'],
  ] as const)('%s with task %s is %s', (vmState, task, status) => {
    expect(statusOf(vmState, task)).toBe(status);
  });

  it('finds the states of a status, in any case', () => {
    expect(statesOf(['active'])).toEqual({ vmStates: ['active'], taskStates: [] });
    expect(statesOf(['REBOOT'])).toEqual({ vmStates: ['active'], taskStates: ['rebooting'] });
    expect(statesOf(['SHUTOFF', 'ERROR'])).toEqual({ vmStates: ['stopped', 'error'], taskStates: [] });
    expect(statesOf(['NONSENSE'])).toEqual({ vmStates: [], taskStates: [] });
  });
});
