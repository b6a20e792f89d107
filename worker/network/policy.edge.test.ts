import { type NetActor, net, newNetwork, runnerRow, unlimited } from '../../test/edge-network.ts';
import { type Call, castAround, describePolicy, trial } from '../../test/edge-policy.ts';
import { type Actor, mintActor } from '../../test/edge-tokens.ts';
import type { NetworkAction } from './policy.ts';

let owner: Actor;
let admin: Actor;

async function cast() {
  owner = await mintActor('member');
  admin = await mintActor('admin');
  await unlimited(owner);
  return castAround(owner.projectId);
}

const call = (method: string, path: string, body?: unknown): Call => ({
  method,
  path: `/networking/v2.0${path}`,
  ...(body === undefined ? {} : { body }),
});
/** The id of something made through the API. */
async function made(path: string, one: string, values: object, as: NetActor = owner): Promise<string> {
  const { status, body } = await net(as, 'POST', path, { [one]: values });
  if (status !== 201) throw new Error(`${path}: ${status} ${JSON.stringify(body)}`);
  return body[one].id;
}
const networkId = () => made('/networks', 'network', { name: 'n' });
const groupId = () => made('/security-groups', 'security_group', { name: 'g' });
const portId = async () => made('/ports', 'port', { network_id: await networkId() });
const ruleId = async () => made('/security-group-rules', 'security_group_rule', await rule());
const rule = async () => ({ security_group_id: await groupId(), direction: 'ingress', ethertype: 'IPv4' });
/** A network of another project that all may use: what is done to it is its owner's affair. */
const sharedNetwork = async () => (await newNetwork(admin, { shared: true, cidr: '10.44.0.0/16' })).networkId;
const sharedPort = async () => made('/ports', 'port', { network_id: await sharedNetwork() });

const onNetwork = (method: string, body?: unknown) => async () => call(method, `/networks/${await networkId()}`, body);
const onSubnet = (method: string, body?: unknown) => async () =>
  call(method, `/subnets/${(await newNetwork(owner)).subnetId}`, body);
const onPort = (method: string, body?: unknown) => async () => call(method, `/ports/${await portId()}`, body);
const onGroup = (method: string, body?: unknown) => async () =>
  call(method, `/security-groups/${await groupId()}`, body);
const onRule = (method: string) => async () => call(method, `/security-group-rules/${await ruleId()}`);
const network = (values: object) => () => call('POST', '/networks', { network: values });
/** What shares a network of the owner's with another project. */
const sharing = async () => ({
  object_type: 'network',
  object_id: await networkId(),
  action: 'access_as_shared',
  target_tenant: crypto.randomUUID(),
});
const onPolicy = (method: string, body?: unknown) => async () =>
  call(method, `/rbac-policies/${await made('/rbac-policies', 'rbac_policy', await sharing())}`, body);
const scopeValues = { name: 's', ip_version: 4 };
const scope = (values: object) => () =>
  call('POST', '/address-scopes', { address_scope: { ...scopeValues, ...values } });
const onScope = (method: string, body?: unknown) => async () =>
  call(method, `/address-scopes/${await made('/address-scopes', 'address_scope', scopeValues)}`, body);
const poolValues = { name: 'p', prefixes: ['10.8.0.0/16'] };
const pool = (values: object) => () => call('POST', '/subnetpools', { subnetpool: { ...poolValues, ...values } });
const onPool =
  (method: string, body?: unknown, action = '') =>
  async () =>
    call(method, `/subnetpools/${await made('/subnetpools', 'subnetpool', poolValues)}${action}`, body);
const onAddressGroup =
  (method: string, body?: unknown, action = '') =>
  async () => {
    const id = await made('/address-groups', 'address_group', { addresses: ['10.1.0.0/16'] });
    return call(method, `/address-groups/${id}${action}`, body);
  };
/** An external network with addresses for routers. */
async function outside(): Promise<string> {
  const id = await made('/networks', 'network', { 'router:external': true, 'provider:network_type': 'local' }, admin);
  await made('/subnets', 'subnet', { network_id: id, ip_version: 4, cidr: '192.0.2.0/24' }, admin);
  return id;
}
const routerId = () => made('/routers', 'router', { name: 'r' });
const router = (values: () => object | Promise<object>) => async () =>
  call('POST', '/routers', { router: await values() });
const onRouter =
  (method: string, values?: () => object | Promise<object>, action = '') =>
  async () => {
    const body = values === undefined ? undefined : action ? await values() : { router: await values() };
    return call(method, `/routers/${await routerId()}${action}`, body);
  };
const withGateway = (values: object) => async () => ({
  external_gateway_info: { network_id: await outside(), ...values },
});
/** A subnet of the owner's, or of a network that all may use. */
const newSubnet = async (shared = false) =>
  (await newNetwork(shared ? admin : owner, { shared, cidr: shared ? '10.44.0.0/16' : '10.20.0.0/24' })).subnetId;
async function routed(): Promise<Call> {
  const [id, subnet_id] = [await routerId(), await newSubnet()];
  const { status } = await net(owner, 'PUT', `/routers/${id}/add_router_interface`, { subnet_id });
  if (status !== 200) throw new Error(`the interface: ${status}`);
  return call('PUT', `/routers/${id}/remove_router_interface`, { subnet_id });
}
const floating = (values: () => object | Promise<object>) => async () =>
  call('POST', '/floatingips', { floatingip: { floating_network_id: await outside(), ...(await values()) } });
const onFloating = (method: string, body?: unknown) => async () => {
  const id = await made('/floatingips', 'floatingip', { floating_network_id: await outside() });
  return call(method, `/floatingips/${id}`, body);
};
/** A floating IP of the owner's, a guest's port that it can forward to, and one that it does. */
async function forwarded(): Promise<{ path: string; id: string; other: object }> {
  const external = await outside();
  const router = await made('/routers', 'router', { external_gateway_info: { network_id: external } });
  const { networkId: inside, subnetId } = await newNetwork(owner);
  await net(owner, 'PUT', `/routers/${router}/add_router_interface`, { subnet_id: subnetId });
  const internal_port_id = await made('/ports', 'port', { network_id: inside });
  const fip = await made('/floatingips', 'floatingip', { floating_network_id: external });
  const path = `/floatingips/${fip}/port_forwardings`;
  const forward = (port: number) => ({ internal_port_id, protocol: 'tcp', internal_port: port, external_port: port });
  return { path, id: await made(path, 'port_forwarding', forward(80)), other: forward(81) };
}
const onForward = (method: string, body?: unknown) => async () => {
  const { path, id } = await forwarded();
  return call(method, `${path}/${id}`, body);
};
const LIMIT = { bandwidth_limit_rule: { max_kbps: 1000 } };
/** A QoS policy of the owner's project, which admins make. */
const qosId = () => made('/qos/policies', 'policy', { name: 'p', project_id: owner.projectId }, admin);
const onQos =
  (method: string, body?: unknown, rest = '') =>
  async () =>
    call(method, `/qos/policies/${await qosId()}${rest}`, body);
const onQosRule = (method: string, body?: unknown) => async () => {
  const path = `/qos/policies/${await qosId()}/bandwidth_limit_rules`;
  const id = await made(path, 'bandwidth_limit_rule', LIMIT.bandwidth_limit_rule, admin);
  return call(method, `${path}/${id}`, body);
};
const onAgent = (method: string, body?: unknown) => async () => call(method, `/agents/${await runnerRow()}`, body);
const onQuota = (method: string, body?: unknown) => () => call(method, `/quotas/${owner.projectId}`, body);

describePolicy<NetworkAction>('network', cast, {
  get_network: [
    trial('reader', 200, onNetwork('GET')),
    trial('reader', 200, () => call('GET', '/networks'), { stranger: 200 }),
  ],
  create_network: trial('member', 201, network({ name: 'n' }), { stranger: 201 }),
  'create_network:shared': trial('admin', 201, network({ shared: true })),
  'create_network:multi_host': trial('admin', 201, network({ multi_host: true })),
  'create_network:is_default': trial('admin', 201, network({ is_default: true, 'router:external': true })),
  'update_network:multi_host': trial('admin', 200, onNetwork('PUT', { network: { multi_host: true } }), {
    stranger: 404,
  }),
  'update_network:is_default': trial('admin', 200, onNetwork('PUT', { network: { is_default: true } }), {
    stranger: 404,
  }),
  'create_network:provider': trial('admin', 201, network({ 'provider:network_type': 'local' })),
  'create_network:router:external': trial('admin', 201, network({ 'router:external': true })),
  update_network: trial('member', 200, onNetwork('PUT', { network: { name: 'm' } })),
  'update_network:shared': trial('admin', 200, onNetwork('PUT', { network: { shared: true } }), { stranger: 404 }),
  'update_network:router:external': trial('admin', 200, onNetwork('PUT', { network: { 'router:external': true } }), {
    stranger: 404,
  }),
  delete_network: trial('member', 204, onNetwork('DELETE')),

  get_subnet: trial('reader', 200, onSubnet('GET')),
  create_subnet: trial('member', 201, async () => {
    const subnet = { network_id: await networkId(), ip_version: 4, cidr: '10.1.0.0/24' };
    return call('POST', '/subnets', { subnet });
  }),
  update_subnet: trial('member', 200, onSubnet('PUT', { subnet: { name: 'm' } })),
  delete_subnet: trial('member', 204, onSubnet('DELETE')),

  get_port: trial('reader', 200, onPort('GET')),
  create_port: [
    trial('member', 201, async () => call('POST', '/ports', { port: { network_id: await networkId() } })),
    trial('member', 201, async () => call('POST', '/ports', { port: { network_id: await sharedNetwork() } }), {
      stranger: 201,
    }),
  ],
  'create_port:network_owner': trial('admin', 201, async () =>
    call('POST', '/ports', { port: { network_id: await sharedNetwork(), mac_address: randomMac() } }),
  ),
  update_port: trial('member', 200, onPort('PUT', { port: { name: 'm' } })),
  'update_port:network_owner': trial(
    'admin',
    200,
    async () =>
      call('PUT', `/ports/${await sharedPort()}`, { port: { port_security_enabled: false, security_groups: [] } }),
    { stranger: 404 },
  ),
  'update_port:mac_address': trial('manager', 200, async () =>
    call('PUT', `/ports/${await portId()}`, { port: { mac_address: randomMac() } }),
  ),
  delete_port: trial('member', 204, onPort('DELETE')),

  get_security_group: trial('reader', 200, onGroup('GET')),
  create_security_group: trial(
    'member',
    201,
    () => call('POST', '/security-groups', { security_group: { name: 'g' } }),
    { stranger: 201 },
  ),
  update_security_group: trial('member', 200, onGroup('PUT', { security_group: { name: 'm' } })),
  delete_security_group: trial('member', 204, onGroup('DELETE')),
  // Of a project where no port uses it; its own members are told that it can't be removed.
  'delete_security_group:default': trial(
    'admin',
    204,
    async () => {
      const { body } = await net(await mintActor('member'), 'GET', '/security-groups?name=default');
      return call('DELETE', `/security-groups/${body.security_groups[0].id}`);
    },
    { refused: 404, stranger: 404 },
  ),
  get_security_group_rule: trial('reader', 200, onRule('GET')),
  create_security_group_rule: trial('member', 201, async () =>
    call('POST', '/security-group-rules', { security_group_rule: await rule() }),
  ),
  delete_security_group_rule: trial('member', 204, onRule('DELETE')),

  get_rbac_policy: [
    trial('reader', 200, onPolicy('GET')),
    trial('reader', 200, () => call('GET', '/rbac-policies'), { stranger: 200 }),
  ],
  create_rbac_policy: trial('member', 201, async () =>
    call('POST', '/rbac-policies', { rbac_policy: await sharing() }),
  ),
  'create_rbac_policy:wildcard': trial('admin', 201, async () =>
    call('POST', '/rbac-policies', { rbac_policy: { ...(await sharing()), target_tenant: '*' } }),
  ),
  update_rbac_policy: trial('member', 200, onPolicy('PUT', { rbac_policy: { target_tenant: crypto.randomUUID() } })),
  'update_rbac_policy:wildcard': trial('admin', 200, onPolicy('PUT', { rbac_policy: { target_tenant: '*' } }), {
    stranger: 404,
  }),
  delete_rbac_policy: trial('member', 204, onPolicy('DELETE')),

  get_address_scope: trial('reader', 200, onScope('GET')),
  create_address_scope: trial('member', 201, scope({}), { stranger: 201 }),
  'create_address_scope:shared': trial('admin', 201, scope({ shared: true })),
  update_address_scope: trial('member', 200, onScope('PUT', { address_scope: { name: 'm' } })),
  'update_address_scope:shared': trial('admin', 200, onScope('PUT', { address_scope: { shared: true } }), {
    stranger: 404,
  }),
  delete_address_scope: trial('member', 204, onScope('DELETE')),

  get_subnetpool: trial('reader', 200, onPool('GET')),
  create_subnetpool: trial('member', 201, pool({}), { stranger: 201 }),
  'create_subnetpool:shared': trial('admin', 201, pool({ shared: true })),
  'create_subnetpool:is_default': trial('admin', 201, pool({ is_default: true })),
  update_subnetpool: trial('member', 200, onPool('PUT', { subnetpool: { name: 'm' } })),
  'update_subnetpool:is_default': trial('admin', 200, onPool('PUT', { subnetpool: { is_default: false } }), {
    stranger: 404,
  }),
  delete_subnetpool: trial('member', 204, onPool('DELETE')),
  add_prefixes: trial('member', 200, onPool('PUT', { prefixes: ['10.9.0.0/16'] }, '/add_prefixes')),
  remove_prefixes: trial('member', 200, onPool('PUT', { prefixes: ['10.9.0.0/16'] }, '/remove_prefixes')),
  onboard_network_subnets: trial('member', 200, async () => {
    const { networkId } = await newNetwork(owner);
    return onPool('PUT', { network_id: networkId }, '/onboard_network_subnets')();
  }),

  get_router: [
    trial('reader', 200, onRouter('GET')),
    trial('reader', 200, () => call('GET', '/routers'), { stranger: 200 }),
  ],
  create_router: trial(
    'member',
    201,
    router(() => ({ name: 'r' })),
    { stranger: 201 },
  ),
  'create_router:distributed': trial(
    'admin',
    201,
    router(() => ({ distributed: true })),
  ),
  'create_router:ha': trial(
    'admin',
    201,
    router(() => ({ ha: false })),
  ),
  'create_router:external_gateway_info:enable_snat': trial('admin', 201, router(withGateway({ enable_snat: false }))),
  'create_router:external_gateway_info:external_fixed_ips': trial(
    'admin',
    201,
    router(withGateway({ external_fixed_ips: [{ ip_address: '192.0.2.77' }] })),
  ),
  update_router: trial('member', 200, onRouter('PUT', withGateway({}))),
  'update_router:distributed': trial(
    'admin',
    200,
    onRouter('PUT', () => ({ distributed: true })),
    { stranger: 404 },
  ),
  'update_router:ha': trial(
    'admin',
    200,
    onRouter('PUT', () => ({ ha: false })),
    { stranger: 404 },
  ),
  'update_router:external_gateway_info:enable_snat': trial(
    'admin',
    200,
    onRouter('PUT', withGateway({ enable_snat: false })),
    { stranger: 404 },
  ),
  'update_router:external_gateway_info:external_fixed_ips': trial(
    'admin',
    200,
    onRouter('PUT', withGateway({ external_fixed_ips: [{ ip_address: '192.0.2.77' }] })),
    { stranger: 404 },
  ),
  delete_router: trial('member', 204, onRouter('DELETE')),
  add_router_interface: trial(
    'member',
    200,
    onRouter('PUT', async () => ({ subnet_id: await newSubnet() }), '/add_router_interface'),
  ),
  'add_router_interface:network_owner': trial(
    'admin',
    200,
    onRouter('PUT', async () => ({ subnet_id: await newSubnet(true) }), '/add_router_interface'),
    { stranger: 404 },
  ),
  remove_router_interface: trial('member', 200, routed),
  add_extraroutes: trial(
    'member',
    200,
    onRouter('PUT', () => ({ router: { routes: [] } }), '/add_extraroutes'),
  ),
  remove_extraroutes: trial(
    'member',
    200,
    onRouter('PUT', () => ({ router: { routes: [] } }), '/remove_extraroutes'),
  ),

  get_floatingip: [
    trial('reader', 200, onFloating('GET')),
    trial('reader', 200, () => call('GET', '/floatingips'), { stranger: 200 }),
  ],
  create_floatingip: trial(
    'member',
    201,
    floating(() => ({})),
    { stranger: 201 },
  ),
  'create_floatingip:floating_ip_address': trial(
    'admin',
    201,
    floating(() => ({ floating_ip_address: '192.0.2.77' })),
  ),
  update_floatingip: trial('member', 200, onFloating('PUT', { floatingip: { description: 'd' } })),
  delete_floatingip: trial('member', 204, onFloating('DELETE')),

  get_floatingip_port_forwarding: [
    trial('reader', 200, onForward('GET')),
    trial('reader', 200, async () => call('GET', (await forwarded()).path)),
  ],
  create_floatingip_port_forwarding: trial('member', 201, async () => {
    const { path, other } = await forwarded();
    return call('POST', path, { port_forwarding: other });
  }),
  update_floatingip_port_forwarding: trial('member', 200, onForward('PUT', { port_forwarding: { description: 'd' } })),
  delete_floatingip_port_forwarding: trial('member', 204, onForward('DELETE')),

  get_address_group: trial('reader', 200, onAddressGroup('GET')),
  create_address_group: trial('member', 201, () => call('POST', '/address-groups', { address_group: {} }), {
    stranger: 201,
  }),
  update_address_group: [
    trial('member', 200, onAddressGroup('PUT', { address_group: { name: 'm' } })),
    trial('member', 200, onAddressGroup('PUT', { addresses: ['10.0.0.0/8'] }, '/add_addresses')),
    trial('member', 200, onAddressGroup('PUT', { addresses: ['10.1.0.0/16'] }, '/remove_addresses')),
  ],
  delete_address_group: trial('member', 204, onAddressGroup('DELETE')),

  get_policy: [
    trial('reader', 200, onQos('GET')),
    trial('reader', 200, onQos('GET', undefined, '/bandwidth_limit_rules')),
  ],
  create_policy: trial('admin', 201, () => call('POST', '/qos/policies', { policy: { name: 'p' } })),
  update_policy: trial('admin', 200, onQos('PUT', { policy: { name: 'q' } }), { stranger: 404 }),
  delete_policy: trial('admin', 204, onQos('DELETE'), { stranger: 404 }),
  create_policy_rule: trial('admin', 201, onQos('POST', LIMIT, '/bandwidth_limit_rules')),
  update_policy_rule: trial('admin', 200, onQosRule('PUT', LIMIT), { stranger: 404 }),
  delete_policy_rule: trial('admin', 204, onQosRule('DELETE'), { stranger: 404 }),
  get_rule_type: trial('anyone', 200, () => call('GET', '/qos/rule-types')),
  'get_rule_type:details': trial('admin', 200, () => call('GET', '/qos/rule-types/dscp_marking')),

  // In a region where nothing is that it could be made of.
  get_auto_allocated_topology: trial(
    'reader',
    409,
    () => ({
      method: 'GET',
      path: `/r/r-${crypto.randomUUID()}/networking/v2.0/auto-allocated-topology/${owner.projectId}`,
    }),
    { stranger: 403 },
  ),
  delete_auto_allocated_topology: trial(
    'member',
    204,
    () => call('DELETE', `/auto-allocated-topology/${owner.projectId}`),
    { stranger: 403 },
  ),

  get_agent: trial('admin', 200, onAgent('GET'), { refused: 404, stranger: 404 }),
  update_agent: trial('admin', 200, onAgent('PUT', { agent: { description: 'd' } }), { refused: 404, stranger: 404 }),
  // Runners do not leave by this.
  delete_agent: trial('admin', 409, onAgent('DELETE'), { refused: 404, stranger: 404 }),
  get_availability_zone: trial('anyone', 200, () => call('GET', '/availability_zones')),
  get_network_ip_availability: [
    trial('admin', 200, () => call('GET', '/network-ip-availabilities')),
    trial('admin', 200, async () => call('GET', `/network-ip-availabilities/${await networkId()}`)),
  ],

  get_applied: [
    trial('reader', 200, async () => ({ method: 'GET', path: `/aerostat/v1/applied/networks/${await networkId()}` })),
    trial('reader', 200, async () => ({ method: 'GET', path: `/aerostat/v1/applied/ports/${await portId()}` })),
    // A network that all may use is not all's to know about.
    trial('admin', 200, async () => ({
      method: 'GET',
      path: `/aerostat/v1/applied/networks/${await sharedNetwork()}`,
    })),
  ],

  get_quota: [
    trial('reader', 200, onQuota('GET'), { stranger: 403 }),
    trial('reader', 200, () => call('GET', `/quotas/${owner.projectId}/details.json`), { stranger: 403 }),
  ],
  get_quotas: trial('admin', 200, () => call('GET', '/quotas')),
  update_quota: trial('admin', 200, onQuota('PUT', { quota: { trunk: 5 } })),
  delete_quota: trial('admin', 204, async () => {
    const path = `/quotas/${crypto.randomUUID()}`;
    await net(admin, 'PUT', path, { quota: { trunk: 5 } });
    return call('DELETE', path);
  }),
});

function randomMac(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(5));
  return ['02', ...Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0'))].join(':');
}
