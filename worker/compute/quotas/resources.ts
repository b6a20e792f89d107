import type { QuotaLimits } from '../../../db/schema/quotas.ts';
import type { Microversion } from '../http/microversion.ts';

/** How Nova says that there is no limit. */
export const UNLIMITED = -1;

/**
 * What is limited where no operator said otherwise. Machines are their owners' own, so servers are limited by room alone;
 * the rest is Nova's default.
 */
export const DEFAULT_LIMITS = {
  instances: UNLIMITED,
  cores: UNLIMITED,
  ram: UNLIMITED,
  key_pairs: 100,
  metadata_items: 128,
  server_groups: 10,
  server_group_members: 10,
  injected_files: 5,
  injected_file_content_bytes: 10_240,
  injected_file_path_bytes: 255,
  /* Networking limits these itself; old versions of Nova's API show them. */
  fixed_ips: UNLIMITED,
  floating_ips: UNLIMITED,
  security_groups: UNLIMITED,
  security_group_rules: UNLIMITED,
} as const satisfies QuotaLimits;

export type Resource = keyof typeof DEFAULT_LIMITS;
const RESOURCES = Object.keys(DEFAULT_LIMITS) as Resource[];

const OF_NETWORKING: readonly Resource[] = ['fixed_ips', 'floating_ips', 'security_groups', 'security_group_rules'];
const OF_FILES: readonly Resource[] = ['injected_files', 'injected_file_content_bytes', 'injected_file_path_bytes'];
const OF_GROUPS: readonly Resource[] = ['server_groups', 'server_group_members'];

/** What a version knows of: networking's limits until 2.35, injected files until 2.56. */
export const resourcesOf = (version: Microversion): Resource[] =>
  without([...(version >= 36 ? OF_NETWORKING : []), ...(version >= 57 ? OF_FILES : [])]);

/** What a version knows of in classes, which followed later: server groups are among it from 2.50. */
export const classResourcesOf = (version: Microversion): Resource[] =>
  without([...(version >= 50 ? OF_NETWORKING : OF_GROUPS), ...(version >= 57 ? OF_FILES : [])]);

const without = (gone: readonly Resource[]) => RESOURCES.filter((resource) => !gone.includes(resource));
