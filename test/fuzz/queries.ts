// Resources are known once the routes are.
import '../../worker/network/routes.ts';
import { deniedQuery } from '../../shared/specs/intranet.ts';
import { reportQuery } from '../../worker/billing/bodies.ts';
import {
  dataframesQuery,
  reportQuery as ratingReportQuery,
  reprocessQuery,
  scopeQuery,
  storageQuery,
  summaryQuery,
  tenantsQuery,
  totalQuery,
} from '../../worker/billing/cloudkitty/query.ts';
import { accountList, invoiceList, productList, purchaseList, subscriptionList } from '../../worker/billing/lists.ts';
import {
  KNOWN as FLAVOR_PARAMETERS,
  SORT_KEYS as FLAVOR_SORT_KEYS,
} from '../../worker/compute/flavors/list-flavors.ts';
import {
  FOR_ALL_SINCE,
  KNOWN as SERVER_PARAMETERS,
  SORT_KEYS as SERVER_SORT_KEYS,
} from '../../worker/compute/servers/list-query.ts';
import { FILTERS as IMAGE_FILTERS } from '../../worker/image/list-filters.ts';
import { SORT_EXPRESSIONS as IMAGE_SORT_KEYS } from '../../worker/image/list-sorting.ts';
import { agentListing } from '../../worker/network/agents/agent-rows.ts';
import type { Listing } from '../../worker/network/api/listing.ts';
import { RESOURCES } from '../../worker/network/api/resource-routes.ts';
import { ipUseListing } from '../../worker/network/availability/ip-availability.ts';
import { prefixListing } from '../../worker/network/intranet/prefixes.ts';
import { ruleListing as intranetRuleListing } from '../../worker/network/intranet/rules.ts';
import { networkListing } from '../../worker/network/networks/network-rows.ts';
import { forwardListing } from '../../worker/network/port-forwardings/forward-rows.ts';
import { portListing } from '../../worker/network/ports/port-rows.ts';
import { groupListing, ruleListing } from '../../worker/network/security-groups/group-rows.ts';
import { subnetListing } from '../../worker/network/subnets/subnet-rows.ts';
import { deliveryListing } from '../../worker/webhooks/deliveries.ts';
import { endpointListing } from '../../worker/webhooks/endpoints.ts';
import { eventListing } from '../../worker/webhooks/list-events.ts';

/** What a route reads in a query: its parameters by name, and the keys it sorts by where it does. */
export interface Query {
  parameters: readonly string[];
  sortKeys: readonly string[];
}

const of = (parameters: readonly string[], sortKeys: readonly string[] = []): Query => ({
  parameters: parameters.filter((name) => name !== 'sort_key' && name !== 'sort_dir'),
  sortKeys,
});

const COMPARISONS = ['contains', 'icontains', 'startswith', 'istartswith', 'endswith', 'iendswith'];
/** A list of Keystone's, by texts of which it finds the inexact too. */
const keystone = (texts: readonly string[], others: readonly string[] = []): Query =>
  of([...texts, ...texts.flatMap((name) => COMPARISONS.map((how) => `${name}__${how}`)), ...others, 'limit', 'marker']);

const PROJECT_PARENTS = ['parents_as_list', 'subtree_as_list', 'parents_as_ids', 'subtree_as_ids', 'include_limits'];
const TAGGED = ['tags', 'tags-any', 'not-tags', 'not-tags-any'];
const identity: Record<string, Query> = {
  '/auth/tokens': of(['nocatalog', 'allow_expired']),
  '/domains': keystone(['name'], ['enabled']),
  '/projects': keystone(['name', 'domain_id'], ['enabled', 'is_domain', 'parent_id', ...TAGGED]),
  '/projects/:id': of(PROJECT_PARENTS),
  '/users': keystone(['name', 'domain_id'], ['enabled', 'password_expires_at', 'idp_id', 'protocol_id', 'unique_id']),
  '/users/:id/projects': keystone(['name'], ['enabled', 'domain_id']),
  '/users/:id/groups': keystone(['name']),
  '/users/:user/application_credentials': keystone(['name']),
  '/users/:user/access_rules': keystone(['service', 'path', 'method']),
  '/credentials': keystone(['user_id', 'type']),
  '/policies': keystone(['type']),
  '/limits': keystone(['service_id', 'region_id', 'resource_name', 'project_id', 'domain_id']),
  '/registered_limits': keystone(['service_id', 'region_id', 'resource_name']),
  '/groups': keystone(['name', 'domain_id']),
  '/groups/:id/users': keystone(['name'], ['enabled', 'password_expires_at']),
  '/roles': keystone(['name', 'domain_id']),
  '/role_assignments': of([
    ...['user.id', 'group.id', 'role.id', 'scope.project.id', 'scope.domain.id', 'scope.system'],
    ...['scope.OS-INHERIT:inherited_to', 'effective', 'include_names', 'include_subtree'],
  ]),
  '/OS-FEDERATION/identity_providers': keystone(['id'], ['enabled']),
  '/OS-FEDERATION/service_providers': keystone(['id'], ['enabled']),
  '/OS-EP-FILTER/endpoint_groups': keystone(['name']),
  '/OS-TRUST/trusts': of(['trustor_user_id', 'trustee_user_id', 'deleted']),
  '/services': of(['name', 'type']),
  '/endpoints': of(['interface', 'service_id', 'region_id']),
  '/regions': of(['parent_region_id']),
};

const PAGE = ['limit', 'marker'];
const CHANGED = ['changes-since', 'changes-before'];
const servers = of(
  [...SERVER_PARAMETERS, ...FOR_ALL_SINCE.flatMap(([, names]) => names)],
  Object.keys(SERVER_SORT_KEYS),
);
const flavors = of(FLAVOR_PARAMETERS, Object.keys(FLAVOR_SORT_KEYS));
const hypervisors = of([...PAGE, 'hypervisor_hostname_pattern', 'with_servers']);
const imageProxy = of([...PAGE, 'changes-since', 'name', 'status', 'server', 'type', 'minRam', 'minDisk']);
const usage = of([...PAGE, 'start', 'end', 'detailed']);
const quota = of(['user_id']);
const compute: Record<string, Query> = {
  '/servers': servers,
  '/servers/detail': servers,
  '/servers/:id/os-instance-actions': of([...PAGE, ...CHANGED]),
  '/flavors': flavors,
  '/flavors/detail': flavors,
  '/os-keypairs': of([...PAGE, 'user_id']),
  '/os-keypairs/:name': quota,
  '/limits': of(['tenant_id', 'reserved']),
  '/os-migrations': of([
    ...[...PAGE, ...CHANGED, 'host', 'status', 'source_compute', 'migration_type', 'instance_uuid', 'hidden'],
    ...['user_id', 'project_id'],
  ]),
  '/os-quota-sets/:id': quota,
  '/os-quota-sets/:id/detail': quota,
  '/os-server-groups': of(['all_projects', 'limit', 'offset']),
  '/os-hosts': of(['zone', 'service']),
  '/os-hypervisors': hypervisors,
  '/os-hypervisors/detail': hypervisors,
  '/os-hypervisors/:id': of(['with_servers']),
  '/os-services': of(['host', 'binary']),
  '/os-simple-tenant-usage': usage,
  '/os-simple-tenant-usage/:id': usage,
  '/os-security-groups': of(['all_tenants', 'limit', 'offset']),
  '/images': imageProxy,
  '/images/detail': imageProxy,
};

const image: Record<string, Query> = {
  '/images': of(
    [...IMAGE_FILTERS, 'visibility', 'os_hidden', 'protected', 'tag', 'member_status', 'sort', ...PAGE],
    Object.keys(IMAGE_SORT_KEYS),
  ),
  '/tasks': of([...PAGE, 'type', 'status'], ['created_at', 'expires_at', 'id', 'status', 'type', 'updated_at']),
  '/metadefs/namespaces': of(
    [...PAGE, 'resource_types', 'visibility', 'owner'],
    ['created_at', 'namespace', 'updated_at'],
  ),
  '/metadefs/namespaces/:ns': of(['resource_type']),
  '/metadefs/namespaces/:ns/properties/:name': of(['resource_type']),
  '/metadefs/namespaces/:ns/tags': of(PAGE, ['created_at', 'name']),
  '/metadefs/namespaces/:ns/objects': of(PAGE, ['created_at', 'name']),
};

/** A list that is read by a table of filters. */
const listed = ({ filters, sortKeys }: Listing): Query =>
  of([...Object.keys(filters), 'fields', ...PAGE, 'page_reverse'], Object.keys(sortKeys));
const networking: Record<string, Query> = {
  '/networks': listed(networkListing),
  '/subnets': listed(subnetListing),
  '/ports': listed(portListing),
  '/security-groups': listed(groupListing),
  '/security-group-rules': listed(ruleListing),
  '/floatingips/:floatingip/port_forwardings': listed(forwardListing),
  '/agents': listed(agentListing),
  '/network-ip-availabilities': listed(ipUseListing),
  '/auto-allocated-topology/:project': of(['fields']),
  '/availability_zones': of(['state', 'resource', 'name', 'fields']),
  '/service-providers': of(['service_type', 'name', 'default']),
};
for (const [many, { listing }] of RESOURCES) {
  networking[many === 'policies' ? '/qos/policies' : `/${many.replaceAll('_', '-')}`] = listed(listing);
}

const fleet: Record<string, Query> = {
  '/intranet/prefixes': listed(prefixListing),
  '/intranet/rules': listed(intranetRuleListing(0)),
  '/webhooks/endpoints': listed(endpointListing),
  '/webhooks/endpoints/:id/deliveries': listed(deliveryListing),
  '/webhooks/events': listed(eventListing),
  '/intranet/denied': of(Object.keys(deniedQuery.shape)),
  '/billing/products': of(Object.keys(productList.shape)),
  '/billing/subscriptions': of(Object.keys(subscriptionList.shape)),
  '/billing/accounts': of(Object.keys(accountList.shape)),
  '/billing/accounts/:id/transfers': of(Object.keys(accountList.shape)),
  '/billing/invoices': of(Object.keys(invoiceList.shape)),
  '/billing/invoices/:id': of(['format']),
  '/billing/purchases': of(Object.keys(purchaseList.shape)),
  '/billing/reports/usage': of(Object.keys(reportQuery.shape)),
  '/billing/reports/periods': of(Object.keys(reportQuery.shape)),
  '/billing/reports/monthly': of(Object.keys(reportQuery.shape)),
  '/billing/reports/detail': of(Object.keys(reportQuery.shape)),
  '/billing/reports/forecast': of(['project_id']),
};

const rating: Record<string, Query> = {
  '/v1/report/summary': of(Object.keys(ratingReportQuery.shape)),
  '/v1/report/total': of(Object.keys(totalQuery.shape)),
  '/v1/report/tenants': of(Object.keys(tenantsQuery.shape)),
  '/v1/storage/dataframes': of(Object.keys(storageQuery.shape)),
  '/v2/summary': of(Object.keys(summaryQuery.shape)),
  '/v2/dataframes': of(Object.keys(dataframesQuery.shape)),
  '/v2/scope': of(Object.keys(scopeQuery.shape)),
  '/v2/task/reprocesses': of(Object.keys(reprocessQuery.shape)),
  '/v2/task/reprocesses/:scope': of(Object.keys(reprocessQuery.shape)),
};

const SERVICES = [
  ['/identity/v3', identity],
  ['/compute/v2.1', compute],
  ['/image/v2', image],
  ['/networking/v2.0', networking],
  ['/aerostat/v1', fleet],
  ['/rating', rating],
] as const;

/** What each route that reads a query reads in it, by the route's name. */
export const QUERIES: ReadonlyMap<string, Query> = new Map(
  SERVICES.flatMap(([prefix, queries]) =>
    Object.entries(queries).map(([path, query]): [string, Query] => [`GET ${prefix}${path}`, query]),
  ),
);

/** What a route reads in a query, by the route's name; undefined where it reads nothing. */
export const queryOfRoute = (name: string): Query | undefined =>
  QUERIES.get(name.replace('/compute/v2/', '/compute/v2.1/').replace('/:project_id{[0-9a-f-]+}', ''));

/** A query for each of a query's parameters alone, and for its order. */
export const singles = ({ parameters, sortKeys }: Query): Query[] => [
  ...parameters.map((name) => of([name])),
  ...(sortKeys.length > 0 ? [of([], sortKeys)] : []),
];
