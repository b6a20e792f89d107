import { z } from 'zod';
import { cidrText, uuid } from './network.ts';

/** Who an exception is for. A group stands for the ports that are in it. */
export const intranetSource = z.object({
  type: z.enum(['project', 'network', 'security_group', 'server', 'port']),
  id: z.string().max(64),
});

/** The intranet filter, whole: what guests must not reach, and who may all the same. There is one, with the id `filter`. */
export const intranetSpec = z.object({
  /** What would be dropped is counted and let through. */
  dry_run: z.boolean(),
  prefixes: z.array(cidrText).max(1000),
  exceptions: z
    .array(
      z.object({
        id: uuid,
        source: intranetSource,
        destination: cidrText,
        /** IP protocol number; null for any. */
        protocol: z.int().min(0).max(255).nullable(),
        port_range_min: z.int().min(0).max(65535).nullable(),
        port_range_max: z.int().min(0).max(65535).nullable(),
        /** The machine itself ends it then, connected or not. Null: for good. */
        expires_at_ms: z.int().nullable(),
      }),
    )
    .max(2000),
});
