import { forbidden } from '../../http/errors.ts';

type Value = string | number | boolean | null | Value[];

/** The options that a domain may have of its own, with what holds where it has not: Keystone's defaults. */
export const DEFAULTS: Readonly<Record<string, Readonly<Record<string, Value>>>> = {
  identity: { driver: 'sql', list_limit: null },
  ldap: {
    url: 'ldap://localhost',
    user: null,
    suffix: 'cn=example,cn=com',
    query_scope: 'one',
    page_size: 0,
    alias_dereferencing: 'default',
    debug_level: null,
    chase_referrals: null,
    user_tree_dn: null,
    user_filter: null,
    user_objectclass: 'inetOrgPerson',
    user_id_attribute: 'cn',
    user_name_attribute: 'sn',
    user_mail_attribute: 'mail',
    user_description_attribute: 'description',
    user_pass_attribute: 'userPassword',
    user_enabled_attribute: 'enabled',
    user_enabled_invert: false,
    user_enabled_mask: 0,
    user_enabled_default: 'True',
    user_attribute_ignore: ['default_project_id'],
    user_default_project_id_attribute: null,
    user_enabled_emulation: false,
    user_enabled_emulation_dn: null,
    user_enabled_emulation_use_group_config: false,
    user_additional_attribute_mapping: [],
    group_tree_dn: null,
    group_filter: null,
    group_objectclass: 'groupOfNames',
    group_id_attribute: 'cn',
    group_name_attribute: 'ou',
    group_members_are_ids: false,
    group_member_attribute: 'member',
    group_desc_attribute: 'description',
    group_attribute_ignore: [],
    group_additional_attribute_mapping: [],
    tls_cacertfile: null,
    tls_cacertdir: null,
    use_tls: false,
    tls_req_cert: 'demand',
    use_pool: true,
    pool_size: 10,
    pool_retry_max: 3,
    pool_retry_delay: 0.1,
    pool_connection_timeout: -1,
    pool_connection_lifetime: 600,
    use_auth_pool: true,
    auth_pool_size: 100,
    auth_pool_connection_lifetime: 60,
  },
};

/** Options that are taken and never shown. */
const SENSITIVE: Readonly<Record<string, readonly string[]>> = { ldap: ['password'] };

/** Groups of options with their values. */
export type DomainConfig = Record<string, Record<string, unknown>>;

/** A group of options, or one of them. */
export interface Part {
  group?: string | undefined;
  option?: string | undefined;
}

export const invalid = (reason: string) => forbidden(`Invalid domain specific configuration: ${reason}.`);

/** @throws ApiError 403 for a group or an option that a domain has not */
export function requireSupported({ group, option }: Part): void {
  if (group === undefined) return;
  const options = Object.hasOwn(DEFAULTS, group) ? DEFAULTS[group] : undefined;
  if (!options) throw invalid(`Group ${group} is not supported for domain specific configurations`);
  if (option !== undefined && !Object.hasOwn(options, option) && !SENSITIVE[group]?.includes(option)) {
    throw invalid(`Option ${option} in group ${group} is not supported for domain specific configurations`);
  }
}

/** Without what is never shown. */
export function shown(config: DomainConfig): DomainConfig {
  const groups = Object.entries(config).map(([group, options]): [string, Record<string, unknown>] => [
    group,
    Object.fromEntries(Object.entries(options).filter(([option]) => !SENSITIVE[group]?.includes(option))),
  ]);
  return Object.fromEntries(groups.filter(([, options]) => Object.keys(options).length > 0));
}

/** A part of a configuration, in the form that it is answered in; undefined when there is none. */
export function partOf(config: DomainConfig, { group, option }: Part): Record<string, unknown> | undefined {
  if (group === undefined) return Object.keys(config).length === 0 ? undefined : config;
  const options = Object.hasOwn(config, group) ? config[group] : undefined;
  if (option === undefined) return options && { [group]: options };
  return options && Object.hasOwn(options, option) ? { [option]: options[option] } : undefined;
}
