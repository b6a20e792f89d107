import { existsSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import { Refusal } from '../../shared/refusal.ts';
import { statePaths } from './state-folder.ts';
import { writeAtomically } from './write-atomically.ts';

export const hypervisor = z.enum(['qemu', 'simulated']);
export type Hypervisor = z.infer<typeof hypervisor>;

const identity = z.object({
  runner_id: z.string(),
  name: z.string(),
  region: z.string(),
  edge_url: z.string(),
  hypervisor,
  machine_id: z.string(),
  /** Prefix of everything made on the machine (bridges, taps, cgroups, nft table), so that several runners can share one. */
  mark: z.string(),
  private_key: z.string(),
  /** A key that the edge was offered and may or may not have taken. */
  next_private_key: z.string().optional(),
});
export type Identity = z.infer<typeof identity>;

/** Writes who this runner is. */
export function writeIdentity(stateDir: string, who: Identity): void {
  writeAtomically(statePaths(stateDir).identity, `${JSON.stringify(who, null, 2)}\n`);
}

/** Who this runner is; null before it has joined. @throws Refusal when the file is damaged */
export function readIdentity(stateDir: string): Identity | null {
  const path = statePaths(stateDir).identity;
  if (!existsSync(path)) return null;
  try {
    return identity.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    throw new Refusal(`${path} is damaged: restore it, or remove it and join again with a new token.`);
  }
}

/** @throws Refusal where the folder was copied or moved */
export function assertSameMachine(who: Identity, machineId: string, stateDir: string): void {
  if (who.machine_id === machineId) return;
  throw new Refusal(
    `${stateDir} belongs to another machine or was moved: run it where it joined, or join here with a new token and another --state.`,
  );
}
