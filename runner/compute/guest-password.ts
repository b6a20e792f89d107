import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { z } from 'zod';
import type { Timers } from '../../shared/clock.ts';
import type { Observation } from '../../shared/protocol/messages.ts';
import { readTextIfThere, writeFileAtomic } from '../host/files.ts';
import type { TellPassword } from '../network/metadata/password.ts';
import { guestPaths } from './guest-paths.ts';
import type { Guests } from './guests.ts';

/** How long a guest waits for the edge to know what it told. */
export const STORED_WAIT_MS = 5_000;

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
export class GuestPasswords implements TellPassword {
  readonly #stateDir: string;
  readonly #guests: Guests;
  readonly #time: Timers;
  /** Ends the waits for the edge's word, by server and password. */
  readonly #waits = new Map<string, () => void>();

  constructor(o: { stateDir: string; guests: Guests; time: Timers }) {
    this.#stateDir = o.stateDir;
    this.#guests = o.guests;
    this.#time = o.time;
  }

  async read(id: string): Promise<string> {
    return (await readPassword(this.#stateDir, id))?.text ?? '';
  }

  /** Answers when clients of the edge find it there, or after `STORED_WAIT_MS`: then it is reported later. */
  async tell(id: string, text: string): Promise<boolean> {
    const told: GuestPassword = { id: createHash('sha256').update(text).digest('hex'), text };
    const kept = await this.#guests.alone(id, async () => {
      if (await readPassword(this.#stateDir, id)) return null;
      await writeFileAtomic(guestPaths(this.#stateDir, id).password, JSON.stringify(told));
      const stored = this.#stored(waitKey(id, told));
      this.#guests.onChange(id);
      return { stored };
    });
    // Not in the guest's turn: the report takes the next one.
    await kept?.stored;
    return kept !== null;
  }

  /** The edge has stored an observation, and the password that it tells of. */
  acknowledged({ id, detail }: Observation): void {
    const told = guestPassword.safeParse(detail?.password);
    if (told.success) this.#waits.get(waitKey(id, told.data))?.();
  }

  #stored(key: string): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        cancel();
        this.#waits.delete(key);
        resolve();
      };
      const cancel = this.#time.after(STORED_WAIT_MS, end);
      this.#waits.set(key, end);
    });
  }
}

const waitKey = (serverId: string, password: GuestPassword): string => `${serverId}/${password.id}`;
