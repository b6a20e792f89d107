import { z } from 'zod';
import { alarmBody, alarmPatch } from '../../worker/metering/alarms/bodies.ts';
import { conditionBody } from '../../worker/metering/gnocchi/filters.ts';
import { operationsBody } from '../../worker/metering/gnocchi/run-operations.ts';
// Resources are known once the routes are.
import '../../worker/network/routes.ts';
import {
  accountPatch,
  budgetBody,
  defaultsBody,
  movementBody,
  priceBody,
  productBody,
  quoteBody,
  subscriptionBody,
  voucherBody,
} from '../../worker/billing/bodies.ts';
import { reprocessBody, resetBody } from '../../worker/billing/cloudkitty/bodies.ts';
import { quoteBody as cloudkittyQuoteBody } from '../../worker/billing/cloudkitty/quote.ts';
import {
  addHostBody,
  cacheImagesBody,
  createAggregateBody,
  removeHostBody,
  setMetadataBody,
  updateAggregateBody,
} from '../../worker/compute/aggregates/schemas.ts';
import { consoleBody8 } from '../../worker/compute/consoles/routes.ts';
import {
  addAccessBody,
  extraSpecBody,
  extraSpecsBody,
  flavorCreateBody,
  flavorUpdateBody,
  removeAccessBody,
} from '../../worker/compute/flavors/schemas.ts';
import { updateBody as hostBody } from '../../worker/compute/hosts/host-routes.ts';
import { forceDownBody, serviceByHostBody, serviceByIdBody } from '../../worker/compute/hosts/services.ts';
import { interfaceBody } from '../../worker/compute/interfaces/routes.ts';
import { keypairBody } from '../../worker/compute/keypairs/schemas.ts';
import { eventsBody } from '../../worker/compute/legacy/external-events.ts';
import { createBody as floatingIpBody } from '../../worker/compute/legacy/floating-ips.ts';
import { itemBody, itemsBody } from '../../worker/compute/legacy/image-routes.ts';
import { ruleBody } from '../../worker/compute/legacy/security-group-rules.ts';
import { groupBody } from '../../worker/compute/legacy/security-groups.ts';
import { snapshotBody } from '../../worker/compute/legacy/volume-snapshots.ts';
import { forceBody } from '../../worker/compute/migrations/routes.ts';
import { quotaClassBody, quotaSetBody } from '../../worker/compute/quotas/schemas.ts';
import { serverGroupBody } from '../../worker/compute/server-groups/schemas.ts';
import { createServerBody } from '../../worker/compute/servers/create-schema.ts';
import { metaBody, metadataBody, tagsBody } from '../../worker/compute/servers/sub-routes.ts';
import { updateServerBody } from '../../worker/compute/servers/update-server.ts';
import { joinTokenBody } from '../../worker/fleet/create-join-token.ts';
import { enrolBody } from '../../worker/fleet/enrol-runner.ts';
import { pollBody } from '../../worker/fleet/routes.ts';
import { runnerPatch } from '../../worker/fleet/update-runner.ts';
import { applicationCredentialToCreate } from '../../worker/identity/application-credentials/body.ts';
import {
  endpointToCreate,
  endpointToUpdate,
  regionBody,
  serviceToCreate,
  serviceToUpdate,
} from '../../worker/identity/catalog/bodies.ts';
import { credentialToCreate, credentialToUpdate } from '../../worker/identity/credentials/credential-body.ts';
import { configBody } from '../../worker/identity/domain-configs/routes.ts';
import { domainToCreate, domainToUpdate } from '../../worker/identity/domains/domain-body.ts';
import { keyPairToCreate } from '../../worker/identity/ec2/routes.ts';
import { signedRequest } from '../../worker/identity/ec2/signatures.ts';
import {
  groupToCreate as endpointGroupToCreate,
  groupToUpdate as endpointGroupToUpdate,
} from '../../worker/identity/endpoint-filter/endpoint-group-body.ts';
import { providerToCreate, providerToUpdate } from '../../worker/identity/federation/identity-providers/body.ts';
import { mappingBody } from '../../worker/identity/federation/mappings/body.ts';
import { protocolToCreate, protocolToUpdate } from '../../worker/identity/federation/protocols/body.ts';
import {
  serviceProviderToCreate,
  serviceProviderToUpdate,
} from '../../worker/identity/federation/service-providers/save-service-provider.ts';
import { groupToCreate, groupToUpdate } from '../../worker/identity/groups/group-body.ts';
import { tags as tagsSchema } from '../../worker/identity/http/attributes.ts';
import {
  limitsToCreate,
  limitToUpdate,
  registeredLimitsToCreate,
  registeredLimitToUpdate,
} from '../../worker/identity/limits/limit-body.ts';
import { consumerBody } from '../../worker/identity/oauth/consumers.ts';
import { policyToCreate, policyToUpdate } from '../../worker/identity/policies/policies.ts';
import { projectToCreate, projectToUpdate } from '../../worker/identity/projects/project-body.ts';
import { roleToCreate, roleToUpdate } from '../../worker/identity/roles/role-body.ts';
import { authBody } from '../../worker/identity/tokens/auth-request.ts';
import { trustToCreate } from '../../worker/identity/trusts/trust-body.ts';
import { passwordChange, userToCreate, userToUpdate } from '../../worker/identity/users/user-body.ts';
import { imageBody } from '../../worker/image/image-body.ts';
import { taskBody } from '../../worker/image/imports/create-task.ts';
import { importBody } from '../../worker/image/imports/import-body.ts';
import { METADEF_BODIES } from '../../worker/image/metadefs/bodies.ts';
import { memberStatus, newMember } from '../../worker/image/routes.ts';
import { addressesAttributes } from '../../worker/network/address-groups/attributes.ts';
import { agentAttributes } from '../../worker/network/agents/routes.ts';
import { type Attributes, required } from '../../worker/network/api/attributes.ts';
import { RESOURCES } from '../../worker/network/api/resource-routes.ts';
import { uuid } from '../../worker/network/api/values.ts';
import {
  filterBody,
  ruleBody as intranetRuleBody,
  prefixBody,
  prefixPatch,
  rulePatch,
} from '../../worker/network/intranet/attributes.ts';
import { networkAttributes } from '../../worker/network/networks/attributes.ts';
import { forwardAttributes } from '../../worker/network/port-forwardings/attributes.ts';
import { portAttributes } from '../../worker/network/ports/attributes.ts';
import { bandwidthLimitAttributes, dscpMarkingAttributes } from '../../worker/network/qos/attributes.ts';
import { quotaAttributes } from '../../worker/network/quotas/routes.ts';
import { routeList } from '../../worker/network/routers/attributes.ts';
import { groupAttributes, ruleAttributes } from '../../worker/network/security-groups/attributes.ts';
import { prefixes } from '../../worker/network/subnetpools/attributes.ts';
import { subnetAttributes } from '../../worker/network/subnets/attributes.ts';
import { endpointBody, endpointPatch, replayBody, rotateBody } from '../../worker/webhooks/bodies.ts';
import { actionBodies } from './server-actions.ts';

/**
 * What a route takes for its body: its own schema (of a microversion), a table of attributes, nothing, or bytes. Where the
 * schema is in the handler's own code, the corpus has bodies.
 */
export type Body =
  | { schema: (version: number) => z.ZodType }
  | Resource
  /** Of an action on a resource: nothing is around its attributes. */
  | { bare: Attributes }
  | 'nothing'
  | 'bytes'
  | 'corpus';

/** What is made and changed by a table of attributes, by its names in bodies. */
export interface Resource {
  one: string;
  many: string;
  attributes: Attributes;
}

const of = (schema: z.ZodType | ((version: number) => z.ZodType)): Body => ({
  schema: typeof schema === 'function' ? schema : () => schema,
});
const member = (name: string, schema: z.ZodType): Body => of(z.strictObject({ [name]: schema }));
const either = (...schemas: [z.ZodType, z.ZodType, ...z.ZodType[]]): Body => of(z.union(schemas));

const tags = z.strictObject({ tags: z.array(z.string().max(255)).max(50) });

const identity: Record<string, Body> = {
  'POST /auth/tokens': member('auth', authBody),
  'POST /users/:id/password': member('user', passwordChange),
  'POST /OS-FEDERATION/identity_providers/:idp/protocols/:protocol/auth': 'nothing',
  'POST /auth/OS-FEDERATION/identity_providers/:idp/protocols/:protocol/websso': 'nothing',
  'POST /auth/OS-FEDERATION/websso/:protocol': 'nothing',
  'POST /domains': member('domain', domainToCreate),
  'PATCH /domains/:id': member('domain', domainToUpdate),
  'PUT /domains/:domain/config': member('config', configBody),
  'PATCH /domains/:domain/config': member('config', configBody),
  'PATCH /domains/:domain/config/:group': member('config', configBody),
  'PATCH /domains/:domain/config/:group/:option': member('config', configBody),
  'POST /projects': member('project', projectToCreate),
  'PATCH /projects/:id': member('project', projectToUpdate),
  'PUT /projects/:id/tags': member('tags', tagsSchema),
  'PUT /projects/:id/tags/:tag': 'nothing',
  'POST /users': member('user', userToCreate),
  'PATCH /users/:id': member('user', userToUpdate),
  'POST /users/:user/application_credentials': member('application_credential', applicationCredentialToCreate),
  'POST /users/:user/credentials/OS-EC2': of(keyPairToCreate),
  'POST /credentials': member('credential', credentialToCreate),
  'PATCH /credentials/:id': member('credential', credentialToUpdate),
  'POST /policies': member('policy', policyToCreate),
  'PATCH /policies/:id': member('policy', policyToUpdate),
  'POST /limits': member('limits', limitsToCreate),
  'PATCH /limits/:id': member('limit', limitToUpdate),
  'POST /registered_limits': member('registered_limits', registeredLimitsToCreate),
  'PATCH /registered_limits/:id': member('registered_limit', registeredLimitToUpdate),
  'POST /OS-OAUTH1/consumers': member('consumer', consumerBody),
  'PATCH /OS-OAUTH1/consumers/:id': member('consumer', consumerBody),
  'POST /ec2tokens': member('credentials', signedRequest),
  'POST /s3tokens': member('credentials', signedRequest),
  'POST /groups': member('group', groupToCreate),
  'PATCH /groups/:id': member('group', groupToUpdate),
  'PUT /groups/:id/users/:user': 'nothing',
  'POST /roles': member('role', roleToCreate),
  'PATCH /roles/:id': member('role', roleToUpdate),
  'PUT /roles/:id/implies/:implied': 'nothing',
  'PUT /OS-FEDERATION/identity_providers/:id': member('identity_provider', providerToCreate),
  'PATCH /OS-FEDERATION/identity_providers/:id': member('identity_provider', providerToUpdate),
  'PUT /OS-FEDERATION/identity_providers/:idp/protocols/:id': member('protocol', protocolToCreate),
  'PATCH /OS-FEDERATION/identity_providers/:idp/protocols/:id': member('protocol', protocolToUpdate),
  'PUT /OS-FEDERATION/mappings/:id': member('mapping', mappingBody),
  'PATCH /OS-FEDERATION/mappings/:id': member('mapping', mappingBody),
  'PUT /OS-FEDERATION/service_providers/:id': member('service_provider', serviceProviderToCreate),
  'PATCH /OS-FEDERATION/service_providers/:id': member('service_provider', serviceProviderToUpdate),
  'POST /OS-EP-FILTER/endpoint_groups': member('endpoint_group', endpointGroupToCreate),
  'PATCH /OS-EP-FILTER/endpoint_groups/:id': member('endpoint_group', endpointGroupToUpdate),
  'PUT /OS-EP-FILTER/projects/:project/endpoints/:endpoint': 'nothing',
  'PUT /OS-EP-FILTER/endpoint_groups/:id/projects/:project': 'nothing',
  'POST /OS-TRUST/trusts': member('trust', trustToCreate),
  'POST /services': member('service', serviceToCreate),
  'PATCH /services/:id': member('service', serviceToUpdate),
  'POST /endpoints': member('endpoint', endpointToCreate),
  'PATCH /endpoints/:id': member('endpoint', endpointToUpdate),
  'POST /regions': member('region', regionBody),
  'PUT /regions/:id': member('region', regionBody),
  'PATCH /regions/:id': member('region', regionBody),
};
for (const target of ['projects', 'domains', 'system', 'OS-INHERIT/projects', 'OS-INHERIT/domains']) {
  for (const actor of ['users', 'groups']) {
    const open = target === 'system' ? '' : '/:target';
    const inherited = target.startsWith('OS-INHERIT') ? '/inherited_to_projects' : '';
    identity[`PUT /${target}${open}/${actor}/:actor/roles/:role${inherited}`] = 'nothing';
  }
}

const compute: Record<string, Body> = {
  'POST /flavors': of(flavorCreateBody),
  'PUT /flavors/:id': of(flavorUpdateBody),
  'POST /flavors/:id/action': either(addAccessBody, removeAccessBody),
  'POST /flavors/:id/os-extra_specs': of(extraSpecsBody),
  'PUT /flavors/:id/os-extra_specs/:key': of(extraSpecBody),
  'POST /servers': of(createServerBody),
  'PUT /servers/:id': of(updateServerBody),
  'POST /servers/:id/action': of((version) => z.union(Object.values(actionBodies(version)) as [z.ZodType, z.ZodType])),
  'POST /servers/:id/migrations/:number/action': of(forceBody),
  'POST /servers/:id/metadata': of(metadataBody),
  'PUT /servers/:id/metadata': of(metadataBody),
  'PUT /servers/:id/metadata/:key': of(metaBody),
  'PUT /servers/:id/tags': of(tagsBody),
  'PUT /servers/:id/tags/:key': 'nothing',
  'POST /servers/:id/os-interface': of(interfaceBody),
  'POST /servers/:id/remote-consoles': of(consoleBody8),
  'POST /os-keypairs': of(keypairBody),
  'PUT /os-quota-sets/:id': of(quotaSetBody),
  'PUT /os-quota-class-sets/:id': of(quotaClassBody),
  'POST /os-server-groups': of(serverGroupBody),
  'POST /os-aggregates': of(createAggregateBody),
  'PUT /os-aggregates/:id': of(updateAggregateBody),
  'POST /os-aggregates/:id/action': either(addHostBody, removeHostBody, setMetadataBody),
  'POST /os-aggregates/:id/images': of(cacheImagesBody),
  'PUT /os-hosts/:name': of(hostBody),
  'PUT /os-services/:id': either(serviceByIdBody, serviceByHostBody, forceDownBody),
  'POST /os-server-external-events': of(eventsBody),
  'POST /os-assisted-volume-snapshots': of(snapshotBody),
  'POST /os-security-groups': of(groupBody),
  'PUT /os-security-groups/:id': of(groupBody),
  'POST /os-security-group-rules': of(ruleBody),
  'POST /os-floating-ips': of(floatingIpBody),
  'POST /images/:id/metadata': of(itemsBody),
  'PUT /images/:id/metadata': of(itemsBody),
  'PUT /images/:id/metadata/:key': of(itemBody),
  // These are gone, whatever is sent.
  'POST /os-networks': 'corpus',
  'POST /os-networks/:rest{.+}': 'corpus',
  'POST /os-tenant-networks': 'corpus',
  'POST /os-tenant-networks/:rest{.+}': 'corpus',
};

const image: Record<string, Body> = {
  'POST /images': of(imageBody),
  // Its operations name members in a text: the corpus has them.
  'PATCH /images/:id': 'corpus',
  'POST /images/:id/actions/deactivate': 'nothing',
  'POST /images/:id/actions/reactivate': 'nothing',
  'PUT /images/:id/tags/:tag': 'nothing',
  'POST /images/:id/members': of(newMember),
  'PUT /images/:id/members/:member': of(memberStatus),
  'PUT /images/:id/file': 'bytes',
  'PUT /images/:id/stage': 'bytes',
  'POST /images/:id/import': of(importBody),
  'POST /tasks': of(taskBody),
  'PUT /cache/:id': 'nothing',
  'POST /metadefs/namespaces': of(METADEF_BODIES.namespace),
  'PUT /metadefs/namespaces/:ns': of(METADEF_BODIES.namespace),
  'POST /metadefs/namespaces/:ns/resource_types': of(METADEF_BODIES.resource_type_association),
  'POST /metadefs/namespaces/:ns/tags': of(METADEF_BODIES.tags),
  'POST /metadefs/namespaces/:ns/tags/:name': 'nothing',
  'POST /metadefs/namespaces/:ns/objects': of(METADEF_BODIES.object),
  'PUT /metadefs/namespaces/:ns/objects/:name': of(METADEF_BODIES.object),
  'POST /metadefs/namespaces/:ns/properties': of(METADEF_BODIES.property),
  'PUT /metadefs/namespaces/:ns/properties/:name': of(METADEF_BODIES.property),
  'PUT /metadefs/namespaces/:ns/tags/:name': of(METADEF_BODIES.tag),
};

const extraRoutes: Body = {
  one: 'router',
  many: 'routers',
  attributes: { routes: required(routeList, { put: true }) },
};

/** What of networking is not made and changed by the plain routes of a resource, which tell their attributes. */
const networking: Record<string, Body> = {
  'PUT /quotas/:project': { one: 'quota', many: 'quotas', attributes: quotaAttributes },
  // Which of two it names is a rule of its own.
  'PUT /routers/:id/add_router_interface': 'corpus',
  'PUT /routers/:id/remove_router_interface': 'corpus',
  'PUT /routers/:id/add_extraroutes': extraRoutes,
  'PUT /routers/:id/remove_extraroutes': extraRoutes,
  'PUT /subnetpools/:id/add_prefixes': { bare: { prefixes: required(prefixes) } },
  'PUT /subnetpools/:id/remove_prefixes': { bare: { prefixes: required(prefixes) } },
  'PUT /subnetpools/:id/onboard_network_subnets': { bare: { network_id: required(uuid) } },
  'PUT /address-groups/:id/add_addresses': { bare: addressesAttributes },
  'PUT /address-groups/:id/remove_addresses': { bare: addressesAttributes },
};
const resources = new Map<string, Resource>([
  ...RESOURCES,
  ...[
    { one: 'agent', many: 'agents', attributes: agentAttributes },
    { one: 'port_forwarding', many: 'port_forwardings', attributes: forwardAttributes },
    { one: 'bandwidth_limit_rule', many: 'bandwidth_limit_rules', attributes: bandwidthLimitAttributes },
    { one: 'dscp_marking_rule', many: 'dscp_marking_rules', attributes: dscpMarkingAttributes },
    { one: 'network', many: 'networks', attributes: networkAttributes },
    { one: 'subnet', many: 'subnets', attributes: subnetAttributes },
    { one: 'port', many: 'ports', attributes: portAttributes },
    { one: 'security_group', many: 'security_groups', attributes: groupAttributes },
    { one: 'security_group_rule', many: 'security_group_rules', attributes: ruleAttributes },
  ].map((one) => [one.many, one] as const),
]);

/** What the routes take that all resources of networking have. */
function ofResource(name: string): Body | undefined {
  if (!/ \/networking\/v2\.0\//.test(name)) return undefined;
  if (name.endsWith('/tags/:tag')) return 'nothing';
  if (name.endsWith('/:id/tags')) return of(tags);
  const [, collection = ''] = /^(?:POST|PUT) .*\/([a-z_-]+)(?:\/:[a-z_]+)?$/.exec(name) ?? [];
  return resources.get(collection.replaceAll('-', '_'));
}

const fleet: Record<string, Body> = {
  'POST /runners/enrol': of(enrolBody),
  'POST /runners/:id/poll': of(pollBody),
  'PUT /runner/images/:id': 'bytes',
  'POST /join-tokens': of(joinTokenBody),
  'PATCH /runners/:id': of(runnerPatch),
  'POST /runners/:id/rotate': 'nothing',
  'PUT /intranet': of(filterBody),
  'POST /intranet/prefixes': of(prefixBody),
  'PUT /intranet/prefixes/:id': of(prefixPatch),
  'POST /intranet/rules': of(intranetRuleBody),
  'PUT /intranet/rules/:id': of(rulePatch),
  'POST /metering/alarms': of(alarmBody),
  'PATCH /metering/alarms/:id': of(alarmPatch),
  'POST /billing/products': of(productBody),
  'POST /billing/products/:id/prices': of(priceBody),
  'POST /billing/subscriptions': of(subscriptionBody),
  'PATCH /billing/accounts/:id': of(accountPatch),
  'PUT /billing/defaults': of(defaultsBody),
  'PUT /billing/accounts/:id/projects/:project': 'nothing',
  'POST /billing/accounts/:id/deposits': of(movementBody),
  'POST /billing/accounts/:id/withdrawals': of(movementBody),
  'POST /billing/accounts/:id/credits': of(movementBody),
  'POST /billing/accounts/:id/vouchers': of(voucherBody),
  'POST /billing/accounts/:id/budgets': of(budgetBody),
  'POST /billing/invoices/:id/rerate': 'nothing',
  'POST /billing/quotes': of(quoteBody),
};

const webhooks: Record<string, Body> = {
  'POST /endpoints': of(endpointBody),
  'PATCH /endpoints/:id': of(endpointPatch),
  'POST /endpoints/:id/rotate': of(rotateBody),
  'POST /endpoints/:id/test': 'nothing',
  'POST /endpoints/:id/replay': of(replayBody),
  'POST /deliveries/:id/replay': 'nothing',
};

const metric: Record<string, Body> = {
  'POST /search/resource/:type': of(conditionBody),
  'POST /aggregates': of(operationsBody),
  'POST /aggregation/resource/:type/metric/:name': of(conditionBody),
};

const rating: Record<string, Body> = {
  'POST /v1/rating/quote': of(cloudkittyQuoteBody),
  'PUT /v1/rating/modules/:id': 'nothing',
  'PUT /v2/rating/modules/:id': 'nothing',
  'POST /v2/dataframes': 'nothing',
  'PUT /v2/scope': of(resetBody),
  'PATCH /v2/scope': 'nothing',
  'POST /v2/scope': 'nothing',
  'POST /v2/task/reprocess': of(reprocessBody),
  'POST /v2/task/reprocesses': of(reprocessBody),
};

const SERVICES: Readonly<Record<string, Record<string, Body>>> = {
  '/identity/v3': identity,
  '/compute/v2.1': compute,
  '/image/v2': image,
  '/networking/v2.0': networking,
  '/metric/v1': metric,
  '/rating': rating,
  '/aerostat/v1': fleet,
  '/aerostat/v1/webhooks': webhooks,
};

const all = new Map(
  Object.entries(SERVICES).flatMap(([prefix, bodies]) =>
    Object.entries(bodies).map(([name, body]) => [name.replace(' ', ` ${prefix}`), body] as const),
  ),
);

/** A route's body by the route's name; undefined where nobody has said what it takes. */
export function bodyOfRoute(name: string): Body | undefined {
  const usual = name.replace('/compute/v2/', '/compute/v2.1/').replace('/:project_id{[0-9a-f-]+}', '');
  return all.get(usual) ?? ofResource(usual);
}
