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
    ['active', 'pausing', 'ACTIVE'],
    ['paused', 'unpausing', 'PAUSED'],
    ['suspended', null, 'SUSPENDED'],
    ['active', 'image_snapshot_pending', 'ACTIVE'],
    ['active', 'resize_prep', 'RESIZE'],
    ['stopped', 'resize_finish', 'RESIZE'],
    ['resized', null, 'VERIFY_RESIZE'],
    ['resized', 'resize_confirming', 'VERIFY_RESIZE'],
    ['resized', 'resize_reverting', 'REVERT_RESIZE'],
    ['paused', 'migrating', 'MIGRATING'],
    ['error', 'rebuild_spawning', 'REBUILD'],
    ['rescued', null, 'RESCUE'],
    ['shelved', 'shelving_offloading', 'SHELVED'],
    ['shelved_offloaded', null, 'SHELVED_OFFLOADED'],
    ['soft-delete', null, 'SOFT_DELETED'],
  ] as const)('%s with task %s is %s', (vmState, task, status) => {
    expect(statusOf(vmState, task)).toBe(status);
  });

  it('finds the states of a status, in any case', () => {
    expect(statesOf(['active'])).toEqual({ vmStates: ['active'], taskStates: [] });
    expect(statesOf(['REBOOT'])).toEqual({ vmStates: ['active'], taskStates: ['rebooting'] });
    expect(statesOf(['SHUTOFF', 'ERROR'])).toEqual({ vmStates: ['stopped', 'error'], taskStates: [] });
    expect(statesOf(['MIGRATING'])).toEqual({ vmStates: ['active', 'paused'], taskStates: ['migrating'] });
    expect(statesOf(['NONSENSE'])).toEqual({ vmStates: [], taskStates: [] });
  });
});
