import { expect, it } from 'vitest';
import { pickAccelerator, runsMachine } from '../../runner/host/accelerator.ts';
import { ensureSystemUser } from '../../runner/host/users.ts';

it('knows a machine that runs from one that does not', async () => {
  const user = await ensureSystemUser('aerostat-qemu');
  expect(await ensureSystemUser('aerostat-qemu')).toEqual(user);
  expect(await runsMachine({ kind: 'tcg', groups: [] }, user, 60_000)).toBe(true);
  // Its firmware cannot be through in so short a time.
  expect(await runsMachine({ kind: 'tcg', groups: [] }, user, 1)).toBe(false);
  const picked = await pickAccelerator(user);
  expect(picked.kind === 'kvm' ? picked.reason : typeof picked.reason).toBe(picked.kind === 'kvm' ? null : 'string');
});
