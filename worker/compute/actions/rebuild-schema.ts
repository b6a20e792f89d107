import { z } from 'zod';
import type { Microversion } from '../http/microversion.ts';
import {
  boolean,
  description,
  diskConfig,
  domainHostname,
  hostname,
  ipv6Address,
  metadata,
  name,
  uuid,
} from '../http/parameters.ts';
import { userData } from '../servers/create-schema.ts';

const FILES_MAX = 64;

const rebuild = z.strictObject({
  imageRef: uuid,
  name: name.optional(),
  adminPass: z.string().optional(),
  metadata: metadata.optional(),
  preserve_ephemeral: boolean.optional(),
  'OS-DCF:diskConfig': diskConfig.optional(),
  accessIPv4: z.ipv4().optional(),
  accessIPv6: ipv6Address.optional(),
  personality: z
    .array(z.strictObject({ path: z.string().optional(), contents: z.string().optional() }))
    .max(FILES_MAX)
    .optional(),
});
const rebuild19 = rebuild.extend({ description: description.optional() });
const rebuild54 = rebuild19.extend({ key_name: name.nullable().optional() });
const rebuild57 = rebuild54.omit({ personality: true }).extend({ user_data: userData.nullable().optional() });
const rebuild63 = rebuild57.extend({
  trusted_image_certificates: z.array(z.string().min(1)).min(1).max(50).nullable().optional(),
});
const rebuild90 = rebuild63.extend({ hostname: hostname.optional() });
const rebuild94 = rebuild90.extend({ hostname: domainHostname.optional() });

/** What a rebuild may change, checked. */
export type RebuildRequest = z.infer<typeof rebuild90> & Pick<z.infer<typeof rebuild>, 'personality'>;

const BODIES: readonly [Microversion, z.ZodType][] = (
  [
    [94, rebuild94],
    [90, rebuild90],
    [63, rebuild63],
    [57, rebuild57],
    [54, rebuild54],
    [19, rebuild19],
    [0, rebuild],
  ] as const
).map(([from, schema]) => [from, z.strictObject({ rebuild: schema })]);

/** The body of a rebuild, by version. */
export function rebuildBody(version: Microversion): z.ZodType<{ rebuild: RebuildRequest }> {
  const [, schema] = BODIES.find(([from]) => version >= from) as (typeof BODIES)[number];
  return schema as z.ZodType<{ rebuild: RebuildRequest }>;
}
