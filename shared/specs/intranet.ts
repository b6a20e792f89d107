import { z } from 'zod';
import { cidrText, uuid } from './network.ts';

/** Prefixes that one region can have. */
export const INTRANET_PREFIXES_MAX = 1000;

/** Who an exception is for. A group stands for the ports that are in it. */
export const intranetSource = z.object({
  type: z.enum(['project', 'network', 'security_group', 'server', 'port']),
  id: z.string().max(64),
});

/** The intranet filter: what guests must not reach. There is one, with the id `filter`. */
export const intranetSpec = z.object({
  /** What would be dropped is counted and let through. */
  dry_run: z.boolean(),
  prefixes: z.array(cidrText).max(INTRANET_PREFIXES_MAX),
});

/** Who may reach some of it all the same. An object each, so that a change costs one, however many there are. */
export const intranetExceptionSpec = z.object({
  id: uuid,
  source: intranetSource,
  destination: cidrText,
  /** IP protocol number; null for any. */
  protocol: z.int().min(0).max(255).nullable(),
  /** Both, or neither; only of protocols that have ports. */
  port_range_min: z.int().min(0).max(65535).nullable(),
  port_range_max: z.int().min(0).max(65535).nullable(),
  /** The machine itself ends it then, connected or not. Null: for good. */
  expires_at_ms: z.int().nullable(),
});

/** Flows that a host's answer to the query `denied` has at most, the latest first. */
export const DENIED_FLOWS_MAX = 1000;

/**
 * What a port sent to the intranet without leave, told apart by destination, protocol and port; without a destination it
 * is all that the port sent. Of a port that tries many destinations at once only that counts every packet.
 */
export const deniedFlow = z.object({
  port_id: uuid,
  project_id: z.string().max(64),
  server_id: uuid.nullable(),
  destination: z.string().max(64).nullable(),
  protocol: z.int().min(0).max(255).nullable(),
  /** Null for protocols without ports. */
  port: z.int().min(0).max(65535).nullable(),
  packets: z.int().min(0),
  bytes: z.int().min(0),
  first_seen_ms: z.int(),
  last_seen_ms: z.int(),
  /** Whether it was dropped; in a dry run it was counted and let through. */
  dropped: z.boolean(),
});
export type DeniedFlow = z.infer<typeof deniedFlow>;
export const deniedFlows = z.object({ flows: z.array(deniedFlow).max(DENIED_FLOWS_MAX) });

/** Whose flows are asked for; all where nothing is said. */
export const deniedQuery = z.object({
  project_id: z.string().max(64).optional(),
  server_id: z.string().max(64).optional(),
  port_id: z.string().max(64).optional(),
});
export type DeniedQuery = z.infer<typeof deniedQuery>;
