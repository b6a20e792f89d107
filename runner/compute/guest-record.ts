import { z } from 'zod';
import { readTextIfThere, writeFileAtomic } from '../host/files.ts';

/** What a guest's machine was when its memory was saved. */
const savedGuest = z.object({
  /** QEMU's name of it, with its version. */
  machine: z.string(),
  slots: z.int(),
  interfaces: z.array(z.object({ port: z.string(), slot: z.string(), mac_address: z.string(), mtu: z.int() })),
});
export type SavedGuest = z.infer<typeof savedGuest>;

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
  /** Of the spec that the disk was made for. */
  disk_version: z.int().default(1),
  /** The rescue image that the guest was last started from; null for its own disk. */
  rescue_sha256: z.string().nullable().default(null),
  /** Where its memory is saved in its disk: nothing may write to the disk before it is taken up again, or given up. */
  saved: savedGuest.nullable().default(null),
  /** The epoch in which it was given to another machine: below a higher one this machine lets nothing of it run. */
  handed_over: z.int().nullable().default(null),
  /** A guest that is coming, or came, in the process that waits for it. */
  incoming: z
    .object({ move_id: z.string(), address: z.string(), disk_port: z.int(), memory_port: z.int() })
    .nullable()
    .default(null),
  /** What its process was started with. */
  size: z.object({ vcpus: z.int(), memory_mib: z.int() }).nullable().default(null),
  /** A copy of its disk, as it was before its size changed, is there. */
  old_disk: z.boolean().default(false),
});
export type GuestRecord = z.infer<typeof guestRecord>;

export const NEW_GUEST: GuestRecord = {
  epoch: 0,
  generation: 0,
  boot_id: null,
  process: null,
  down: null,
  image_sha256: null,
  disk_version: 1,
  rescue_sha256: null,
  saved: null,
  handed_over: null,
  incoming: null,
  size: null,
  old_disk: false,
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
