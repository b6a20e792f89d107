import { z } from 'zod';
import { readTextIfThere, writeFileAtomic } from '../host/files.ts';

/** What the runner remembers of a guest, so that after its own death it neither starts one twice nor revives a crash. */
const guestRecord = z.object({
  /** The highest seen: nothing below it is started. */
  epoch: z.int(),
  /** Of the spec last applied. */
  generation: z.int(),
  /** The boot of the machine in which the guest was last started. */
  boot_id: z.string().nullable(),
  /** The process that should live; null when none should. */
  process: z.object({ pid: z.int(), startTicks: z.number() }).nullable(),
  /** Why it is down although the spec of that generation wants it on. */
  down: z.object({ cause: z.enum(['guest', 'crash']), generation: z.int() }).nullable(),
  /** The image that the disk was made from. */
  image_sha256: z.string().nullable(),
});
export type GuestRecord = z.infer<typeof guestRecord>;

export const NEW_GUEST: GuestRecord = {
  epoch: 0,
  generation: 0,
  boot_id: null,
  process: null,
  down: null,
  image_sha256: null,
};

/** A guest's record, or null where there is none. @throws when it cannot be understood */
export async function readRecord(path: string): Promise<GuestRecord | null> {
  const text = await readTextIfThere(path);
  return text === null ? null : guestRecord.parse(JSON.parse(text));
}

/** Keeps a guest's record through a power cut. */
export async function writeRecord(path: string, record: GuestRecord): Promise<void> {
  await writeFileAtomic(path, JSON.stringify(record));
}
