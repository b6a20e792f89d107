import { index, integer, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core';

/**
 * Who else may use a thing of a project. This alone decides what is shared: `networks.shared` and `networks.external` follow
 * it, in the same batch (see worker/network/rbac/follow-policies.ts).
 */
export const rbacPolicies = sqliteTable(
  'rbac_policies',
  {
    id: text().primaryKey(),
    region: text().notNull(),
    projectId: text().notNull(),
    objectType: text({
      enum: ['network', 'security_group', 'address_scope', 'subnetpool', 'address_group', 'qos_policy'],
    }).notNull(),
    objectId: text().notNull(),
    action: text({ enum: ['access_as_shared', 'access_as_external'] }).notNull(),
    /** A project, or `*` for all. */
    targetProject: text().notNull(),
    createdAtMs: integer().notNull(),
  },
  (t) => [
    uniqueIndex('rbac_policies_once').on(t.objectId, t.action, t.targetProject),
    index('rbac_policies_target').on(t.targetProject, t.objectType),
    index('rbac_policies_project').on(t.projectId),
  ],
);
