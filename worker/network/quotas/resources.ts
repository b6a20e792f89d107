/** How Neutron says that there is no limit. */
export const UNLIMITED = -1;

/** What is limited where no operator said otherwise: Neutron's defaults. */
export const DEFAULT_LIMITS = {
  network: 100,
  subnet: 100,
  port: 500,
  router: 10,
  floatingip: 50,
  security_group: 10,
  security_group_rule: 100,
  rbac_policy: 10,
  subnetpool: UNLIMITED,
  trunk: UNLIMITED,
} as const satisfies Record<string, number>;

export type Limited = keyof typeof DEFAULT_LIMITS;
export const LIMITED = Object.keys(DEFAULT_LIMITS) as Limited[];
export type Limits = Record<Limited, number>;

/** Where a project's are counted. Null: there are none of it yet. */
export const TABLES: Readonly<Record<Limited, string | null>> = {
  network: 'networks',
  subnet: 'subnets',
  port: 'ports',
  router: 'routers',
  floatingip: 'floating_ips',
  security_group: 'security_groups',
  security_group_rule: 'security_group_rules',
  rbac_policy: 'rbac_policies',
  subnetpool: 'subnetpools',
  trunk: 'trunks',
};
