import { z } from 'zod';
import { firstProblem } from '../http/body.ts';
import { badRequest, forbidden } from '../http/errors.ts';
import { CONTAINER_FORMATS, DISK_FORMATS, UUID_PATTERN, VISIBILITIES } from './formats.ts';
import { MIN_DISK_GIB_MAX, MIN_RAM_MIB_MAX, NAME_CHARS_MAX, PROPERTY_VALUE_CHARS_MAX } from './limits.ts';
import { RESERVED_PREFIX } from './quotas.ts';

const imageId = z.string().regex(new RegExp(UUID_PATTERN));
/** Null clears it, as Glance's own definition of these two properties allows. */
const bootImageId = imageId.nullable();

/** What a client may say of an image, each member optional; everything else is an extra property. */
export const imageBody = z
  .object({
    id: imageId.optional(),
    name: z.string().max(NAME_CHARS_MAX).nullable().optional(),
    visibility: z.enum(VISIBILITIES).optional(),
    protected: z.boolean().optional(),
    os_hidden: z.boolean().optional(),
    owner: z.string().min(1).max(NAME_CHARS_MAX).optional(),
    container_format: z.enum(CONTAINER_FORMATS).nullable().optional(),
    disk_format: z.enum(DISK_FORMATS).nullable().optional(),
    min_disk: z.int().min(0).max(MIN_DISK_GIB_MAX).optional(),
    min_ram: z.int().min(0).max(MIN_RAM_MIB_MAX).optional(),
    tags: z.array(z.string().max(NAME_CHARS_MAX)).optional(),
    kernel_id: bootImageId.optional(),
    ramdisk_id: bootImageId.optional(),
  })
  .catchall(z.string().max(PROPERTY_VALUE_CHARS_MAX));
export type ImageBody = z.infer<typeof imageBody>;

/** Members that are columns and that a client may set; `id` only at creation. */
export const BASE_MEMBERS = [
  'name',
  'visibility',
  'protected',
  'os_hidden',
  'owner',
  'container_format',
  'disk_format',
  'min_disk',
  'min_ram',
  'tags',
] as const;
export type BaseMember = (typeof BASE_MEMBERS)[number];

const READ_ONLY = new Set([
  'created_at',
  'updated_at',
  'status',
  'checksum',
  'size',
  'virtual_size',
  'os_hash_algo',
  'os_hash_value',
  'direct_url',
  'self',
  'file',
  'schema',
  'stores',
]);
const RESERVED = new Set(['location', 'locations', 'deleted', 'deleted_at']);

/** Refuses members that clients may not set. @throws ApiError 403, 400 for a name that is too long */
export function checkSettable(member: string): void {
  if (READ_ONLY.has(member)) throw forbidden(`Attribute '${member}' is read-only.`);
  if (RESERVED.has(member) || member.startsWith(RESERVED_PREFIX)) throw forbidden(`Attribute '${member}' is reserved.`);
  if (member.length > NAME_CHARS_MAX) {
    throw badRequest(`Custom property should not be greater than ${NAME_CHARS_MAX} characters.`);
  }
}

/**
 * Some members of an image, checked.
 * @throws ApiError 400 of another type or value; 403 read-only or reserved
 */
export function parseImageBody(value: unknown): ImageBody {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    throw badRequest("Provided object does not match schema 'image': it is not an object.");
  }
  for (const member of Object.keys(value)) checkSettable(member);
  const parsed = imageBody.safeParse(value);
  if (!parsed.success) {
    throw badRequest(`Provided object does not match schema 'image': ${firstProblem(parsed.error)}`);
  }
  return parsed.data;
}

/** The extra properties of a body; null ones are left out. */
export function extraProperties(body: ImageBody): Record<string, string> {
  const base = new Set<string>(['id', ...BASE_MEMBERS]);
  const extra = Object.entries(body).filter(([name, value]) => !base.has(name) && typeof value === 'string');
  return Object.fromEntries(extra as [string, string][]);
}
