import { z } from 'zod';
import { DEVICE_TAG_CHARS_MAX, INJECTED_FILES_MAX, USER_DATA_BASE64_BYTES_MAX } from '../limits.ts';
import { uuid } from './network.ts';

/** A pre-shared key of TLS as the edge derives it for one move; none in the database, it is put in as the spec is sent. */
export const moveKey = z.string().regex(/^[0-9a-f]{64}$/);

/** An image that a guest needs; the runner fetches it by id and verifies it by sha256. */
export const imageRef = z.object({
  id: uuid,
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  size_bytes: z.int().min(0),
  disk_format: z.enum(['raw', 'qcow2', 'iso', 'aki', 'ari', 'ami']),
});
export type ImageRef = z.infer<typeof imageRef>;

/** What the metadata service and the config drive tell a guest; keys as in OpenStack's meta_data.json. */
export const guestMetadata = z.object({
  uuid,
  name: z.string(),
  hostname: z.string(),
  project_id: z.string(),
  availability_zone: z.string(),
  launch_index: z.int().min(0),
  meta: z.record(z.string(), z.string()),
  public_keys: z.record(z.string(), z.string()),
  instance_type: z.string(),
  vendor_data: z.record(z.string(), z.unknown()),
  /** Base64, as the client sent it. */
  user_data: z.string().max(USER_DATA_BASE64_BYTES_MAX).nullable(),
  /** Files for the guest to put in place; contents in base64. */
  files: z
    .array(z.object({ path: z.string(), contents: z.string() }))
    .max(INJECTED_FILES_MAX)
    .optional(),
  /** Tags of interfaces, by port. */
  device_tags: z.record(uuid, z.string().max(DEVICE_TAG_CHARS_MAX)).optional(),
});
export type GuestMetadata = z.infer<typeof guestMetadata>;

/** What a guest boots from. */
const bootSource = {
  image: imageRef,
  /** Direct kernel boot, from the image properties kernel_id, ramdisk_id and os_command_line. */
  kernel: imageRef.nullable(),
  ramdisk: imageRef.nullable(),
  kernel_command_line: z.string().max(2048).nullable(),
};

/**
 * A guest that comes from another machine: this one makes ready for it, starts nothing, and says where it listens.
 * See docs/protocol.md, Moves.
 */
export const incomingGuest = z.object({
  move_id: uuid,
  /** `memory`: a guest that runs, with its disk; `disk`: the disk of one that is off. */
  what: z.enum(['memory', 'disk']),
  /** Pre-shared key of TLS, hex, good for this move alone. */
  key: moveKey,
});
export type IncomingGuest = z.infer<typeof incomingGuest>;

/** A guest as its runner must keep it. */
export const serverSpec = z.object({
  id: uuid,
  /** Raised when a guest may start elsewhere; a runner never starts a guest below the epoch it has seen. */
  epoch: z.int().min(1),
  /** `suspended`: its memory is on the disk and no process is left; it survives a boot of the machine. */
  power: z.enum(['on', 'off', 'paused', 'suspended']),
  vcpus: z.int().min(1).max(256),
  memory_mib: z.int().min(1),
  disk_gib: z.int().min(0),
  ...bootSource,
  /** Raised when the guest is to get a new disk from its image. */
  disk_version: z.int().min(1).default(1),
  /** Where there is one the guest runs from a disk of this instead, its own attached as the second. */
  rescue: z.object(bootSource).nullable().default(null),
  /** In the order in which the guest sees them. */
  ports: z.array(uuid).max(26),
  config_drive: z.boolean(),
  incoming: incomingGuest.nullable().default(null),
  /** `keep` a copy of the disk as it is before the guest starts in its new size; `restore` it; null: let go of it. */
  old_disk: z.enum(['keep', 'restore']).nullable().default(null),
  metadata: guestMetadata,
});
export type ServerSpec = z.infer<typeof serverSpec>;
