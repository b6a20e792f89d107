import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { z } from 'zod';
import { readTextIfThere, writeFileAtomic } from '../host/files.ts';
import type { TellPassword } from '../network/metadata/password.ts';
import { guestPaths } from './guest-paths.ts';
import type { Guests } from './guests.ts';

/** What a guest told of the password that it set, sealed by itself; no two sealings are the same, so its digest is its id. */
const guestPassword = z.object({ id: z.string(), text: z.string() });
type GuestPassword = z.infer<typeof guestPassword>;

/** What a guest told, or null. */
export async function readPassword(stateDir: string, id: string): Promise<GuestPassword | null> {
  const text = await readTextIfThere(guestPaths(stateDir, id).password);
  return text === null ? null : guestPassword.parse(JSON.parse(text));
}

export const dropPassword = (stateDir: string, id: string): Promise<void> =>
  rm(guestPaths(stateDir, id).password, { force: true });

/** Takes what guests tell, once until it is cleared, and has it reported. */
export function passwordsOf(stateDir: string, guests: Guests): TellPassword {
  return {
    read: async (id) => (await readPassword(stateDir, id))?.text ?? '',
    tell: (id, text) =>
      guests.alone(id, async () => {
        if (await readPassword(stateDir, id)) return false;
        const told: GuestPassword = { id: createHash('sha256').update(text).digest('hex'), text };
        await writeFileAtomic(guestPaths(stateDir, id).password, JSON.stringify(told));
        guests.onChange(id);
        return true;
      }),
  };
}
