import { resourceRoutes } from '../api/resource-routes.ts';
import { policyAttributes } from './attributes.ts';
import { createPolicies } from './create-policies.ts';
import { deletePolicy } from './delete-policy.ts';
import { listPolicies, policyListing, policyView, showPolicy } from './policy-rows.ts';
import { updatePolicy } from './update-policy.ts';

/** `/rbac-policies`: who else may use what a project has. */
export const rbacPolicyRoutes = resourceRoutes({
  one: 'rbac_policy',
  many: 'rbac_policies',
  attributes: policyAttributes,
  listing: policyListing,
  view: policyView,
  list: listPolicies,
  show: showPolicy,
  create: createPolicies,
  update: updatePolicy,
  remove: deletePolicy,
});
