import { resourceRoutes } from '../api/resource-routes.ts';
import { scopeAttributes } from './attributes.ts';
import { createScopes } from './create-scopes.ts';
import { deleteScope } from './delete-scope.ts';
import { listScopes, scopeListing, scopeView, showScope } from './scope-rows.ts';
import { updateScope } from './update-scope.ts';

/** `/address-scopes`: within one, no two subnets overlap. */
export const addressScopeRoutes = resourceRoutes({
  one: 'address_scope',
  many: 'address_scopes',
  attributes: scopeAttributes,
  listing: scopeListing,
  view: scopeView,
  list: listScopes,
  show: showScope,
  create: createScopes,
  update: updateScope,
  remove: deleteScope,
});
