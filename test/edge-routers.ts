import { type NetActor, net, newNetwork } from './edge-network.ts';

/** A network outside, with a subnet of addresses for routers and floating IPs. Its actor is an admin. */
export async function newExternal(
  admin: NetActor,
  options: { cidr?: string; subnet?: object } = {},
): Promise<{ networkId: string; subnetId: string }> {
  const network = { 'router:external': true, 'provider:network_type': 'local' };
  const networkId: string = (await net(admin, 'POST', '/networks', { network })).body.network.id;
  const subnet = { network_id: networkId, ip_version: 4, cidr: options.cidr ?? '192.0.2.0/24', ...options.subnet };
  const made = await net(admin, 'POST', '/subnets', { subnet });
  if (made.status !== 201) throw new Error(`subnet: ${made.status} ${JSON.stringify(made.body)}`);
  return { networkId, subnetId: made.body.subnet.id };
}

/** @returns the id of a new router @param external - the network of its gateway */
export async function newRouter(actor: NetActor, external?: string): Promise<string> {
  const gateway = external === undefined ? {} : { external_gateway_info: { network_id: external } };
  const { status, body } = await net(actor, 'POST', '/routers', { router: gateway });
  if (status !== 201) throw new Error(`router: ${status} ${JSON.stringify(body)}`);
  return body.router.id;
}

/** Joins a subnet to a router. @returns the interface */
export async function plugIn(actor: NetActor, routerId: string, subnetId: string) {
  const { status, body } = await net(actor, 'PUT', `/routers/${routerId}/add_router_interface`, {
    subnet_id: subnetId,
  });
  if (status !== 200) throw new Error(`interface: ${status} ${JSON.stringify(body)}`);
  return body as { port_id: string; subnet_id: string };
}

/** A router with a network of its owner's on it. */
export async function pluggedIn(actor: NetActor, options: { cidr?: string; external?: string } = {}) {
  const { cidr = '10.20.0.0/24', external } = options;
  const id = await newRouter(actor, external);
  const network = await newNetwork(actor, { cidr });
  return { id, ...network, joined: await plugIn(actor, id, network.subnetId) };
}
