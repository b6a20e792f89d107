import { z } from 'zod';
import { USER_DATA_BASE64_BYTES_MAX } from '../../../shared/limits.ts';
import type { Microversion } from '../http/microversion.ts';
import {
  boolean,
  description,
  diskConfig,
  domainHostname,
  fqdn,
  hostname,
  INTEGER_MAX,
  integer,
  ipAddress,
  ipv6Address,
  metadata,
  name,
  TAGS_MAX,
  tag,
  uuid,
} from '../http/parameters.ts';

/** Networks that one server may ask for; a guest has room for no more interfaces. */
const NETWORKS_MAX = 26;
/** Security groups, block devices and files that one request may name. */
const LIST_MAX = 64;

const BASE64 = /^[A-Za-z0-9+/\s]*={0,2}\s*$/;
const isBase64 = (text: string) => BASE64.test(text) && text.replaceAll(/\s/g, '').length % 4 === 0;
export const userData = z
  .string()
  .max(USER_DATA_BASE64_BYTES_MAX)
  .refine(isBase64, { error: (issue) => `'${String(issue.input).slice(0, 40)}' is not a 'base64'` });

const legacyBlockDevice = {
  virtual_name: z.string().max(255).optional(),
  volume_id: uuid.optional(),
  snapshot_id: uuid.optional(),
  volume_size: integer(1, INTEGER_MAX).optional(),
  device_name: z
    .string()
    .min(1)
    .max(255)
    .regex(/^[a-zA-Z0-9._/-]*$/)
    .optional(),
  delete_on_termination: boolean.optional(),
  no_device: z.unknown().optional(),
  connection_info: z.string().optional(),
};
const blockDevice = z.strictObject({
  ...legacyBlockDevice,
  source_type: z.enum(['volume', 'image', 'snapshot', 'blank']).optional(),
  uuid: z
    .string()
    .min(1)
    .max(255)
    .regex(/^[a-zA-Z0-9._-]*$/)
    .optional(),
  image_id: uuid.optional(),
  destination_type: z.enum(['local', 'volume']).optional(),
  guest_format: z.string().max(255).optional(),
  device_type: z.string().max(255).optional(),
  disk_bus: z.string().max(255).optional(),
  boot_index: z
    .union([z.int(), z.string().regex(/^-?[0-9]+$/)])
    .nullable()
    .transform((index) => (index === null ? null : Number(index)))
    .optional(),
});
const volumeType = { volume_type: z.string().max(255).nullable().optional() };
export type BlockDevice = z.infer<typeof blockDevice> & { tag?: string | undefined };

const port = uuid.nullable().optional();
const fixedIp = ipAddress.optional();
const anyNetwork = z.strictObject({ fixed_ip: fixedIp, port, uuid: z.string().optional() });
const network = z.strictObject({ fixed_ip: fixedIp, port, uuid: uuid.optional() });
/** Tags of devices came with 2.32, were lost with 2.37, and came again with 2.42. */
const tagged = { tag: tag.optional() };
const anyTagged = z.array(anyNetwork.extend(tagged)).max(NETWORKS_MAX).optional();
const listOrWord = <Network extends z.ZodType>(one: Network) =>
  z.union([z.array(one).max(NETWORKS_MAX), z.enum(['none', 'auto'])]);
const devicesOf = <Device extends z.ZodType>(one: Device) => z.array(one).max(LIST_MAX).optional();
const taggedDevice = blockDevice.extend(tagged);

const server = z.strictObject({
  name,
  imageRef: z.union([uuid, z.literal('')]).optional(),
  flavorRef: z.union([z.string().min(1), z.int()]).transform(String),
  adminPass: z.string().optional(),
  metadata: metadata.optional(),
  networks: z.array(anyNetwork).max(NETWORKS_MAX).optional(),
  'OS-DCF:diskConfig': diskConfig.optional(),
  accessIPv4: z.ipv4().optional(),
  accessIPv6: ipv6Address.optional(),
  personality: z
    .array(z.strictObject({ path: z.string().optional(), contents: z.string().optional() }))
    .max(LIST_MAX)
    .optional(),
  availability_zone: name.optional(),
  block_device_mapping: z.array(z.strictObject(legacyBlockDevice)).max(LIST_MAX).optional(),
  block_device_mapping_v2: devicesOf(blockDevice),
  config_drive: boolean.optional(),
  key_name: name.optional(),
  min_count: integer(1, INTEGER_MAX).optional(),
  max_count: integer(1, INTEGER_MAX).optional(),
  return_reservation_id: boolean.optional(),
  security_groups: z
    .array(z.strictObject({ name: name.optional() }))
    .max(LIST_MAX)
    .optional(),
  user_data: userData.optional(),
});
const later = {
  description: description.optional(),
  tags: z.array(tag).max(TAGS_MAX).optional(),
  trusted_image_certificates: z.array(z.string().min(1)).min(1).max(50).nullable().optional(),
  host: fqdn.optional(),
  hypervisor_hostname: fqdn.optional(),
  hostname: hostname.optional(),
};
const everything = server.extend(later);
/** A server as clients of any version ask for it, checked. */
export type ServerRequest = Omit<z.infer<typeof everything>, 'networks'> & {
  networks?: (z.infer<typeof anyNetwork> & { tag?: string | undefined })[] | 'none' | 'auto' | undefined;
};

const hints = z.looseObject({
  group: z.union([uuid, z.array(uuid)]).optional(),
  same_host: z.union([z.string(), z.array(uuid)]).optional(),
  different_host: z.union([uuid, z.array(uuid)]).optional(),
});
export interface CreateServerBody {
  server: ServerRequest;
  'os:scheduler_hints'?: z.infer<typeof hints> | undefined;
  'OS-SCH-HNT:scheduler_hints'?: z.infer<typeof hints> | undefined;
}

/** What each version adds to a server's members, or takes away (null). */
const CHANGES: readonly [Microversion, (shape: z.ZodRawShape) => z.ZodRawShape][] = [
  [19, (shape) => ({ ...shape, description: later.description })],
  [32, (shape) => ({ ...shape, networks: anyTagged, block_device_mapping_v2: devicesOf(taggedDevice) })],
  [
    37,
    (shape) => ({
      ...shape,
      networks: listOrWord(network),
      block_device_mapping_v2: server.shape.block_device_mapping_v2,
    }),
  ],
  [
    42,
    (shape) => ({
      ...shape,
      networks: listOrWord(network.extend(tagged)),
      block_device_mapping_v2: devicesOf(taggedDevice),
    }),
  ],
  [52, (shape) => ({ ...shape, tags: later.tags })],
  [57, ({ personality: _personality, ...shape }) => shape],
  [63, (shape) => ({ ...shape, trusted_image_certificates: later.trusted_image_certificates })],
  [67, (shape) => ({ ...shape, block_device_mapping_v2: devicesOf(taggedDevice.extend(volumeType)) })],
  [74, (shape) => ({ ...shape, host: later.host, hypervisor_hostname: later.hypervisor_hostname })],
  [90, (shape) => ({ ...shape, hostname: later.hostname })],
  [94, (shape) => ({ ...shape, hostname: domainHostname.optional() })],
];
const built = new Map<number, z.ZodType<CreateServerBody>>();

/** The body of a create, by version; each is built once. */
export function createServerBody(version: Microversion): z.ZodType<CreateServerBody> {
  const applied = CHANGES.filter(([from]) => version >= from);
  let schema = built.get(applied.length);
  if (!schema) {
    const shape = applied.reduce((so_far, [, change]) => change(so_far), server.shape as z.ZodRawShape);
    schema = z.strictObject({
      server: z.strictObject(shape),
      'os:scheduler_hints': hints.optional(),
      'OS-SCH-HNT:scheduler_hints': hints.optional(),
    }) as unknown as z.ZodType<CreateServerBody>;
    built.set(applied.length, schema);
  }
  return schema;
}
