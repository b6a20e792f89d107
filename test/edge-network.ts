import { env } from 'cloudflare:test';
import { openDatabase } from '../db/client.ts';
import { runners } from '../db/schema/fleet.ts';
import type { Env } from '../worker/env.ts';
import { call } from './edge-client.ts';
import { type Actor, mintActor } from './edge-tokens.ts';

const NETWORKING = '/networking/v2.0';

/** An actor, and the region it calls. What is shared shows in all of a region: tests about that take one of their own. */
export type NetActor = Actor & { region?: string };

/** An actor in a region that nobody else has. */
export const inOwnRegion = (actor: Actor, region = `r-${crypto.randomUUID()}`): NetActor => ({ ...actor, region });

/** Calls the Networking API as an actor; without one, without a token. The body comes as JSON, unchecked. */
export async function net(
  actor: NetActor | null,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<{ status: number; headers: Headers; body: ReturnType<typeof JSON.parse> }> {
  const prefix = actor?.region ? `/r/${actor.region}` : '';
  const response = await call(method, `${prefix}${NETWORKING}${path}`, {
    ...(actor ? { token: actor.token } : {}),
    ...(body === undefined ? {} : { body }),
    headers,
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === '' ? null : JSON.parse(text) };
}

/** A network of an actor, with a subnet. */
export async function newNetwork(
  actor: NetActor,
  options: { cidr?: string; shared?: boolean; subnet?: Record<string, unknown> } = {},
): Promise<{ networkId: string; subnetId: string }> {
  const { cidr = '10.20.0.0/24', shared = false, subnet = {} } = options;
  const network = await net(actor, 'POST', '/networks', { network: { name: 'n', ...(shared ? { shared } : {}) } });
  const networkId: string = network.body.network.id;
  const made = await net(actor, 'POST', '/subnets', {
    subnet: { network_id: networkId, ip_version: cidr.includes(':') ? 6 : 4, cidr, ...subnet },
  });
  if (made.status !== 201) throw new Error(`subnet: ${made.status} ${JSON.stringify(made.body)}`);
  return { networkId, subnetId: made.body.subnet.id };
}

/** A member of a project of its own. */
export const newMember = (): Promise<Actor> => mintActor('member');

/** The database behind the worker under test. */
export function testDatabase() {
  const { DATABASE_URL, DATABASE_TOKEN } = env as unknown as Env;
  return openDatabase({ url: DATABASE_URL, token: DATABASE_TOKEN });
}

/** A runner that is only a row. @returns its id */
export async function runnerRow(name = `host-${crypto.randomUUID()}`): Promise<string> {
  const id = crypto.randomUUID();
  await testDatabase()
    .insert(runners)
    .values({
      id,
      region: (env as unknown as Env).REGION,
      name,
      zone: 'nova',
      publicKey: '',
      machineId: id,
      state: 'enabled',
      createdAtMs: 0,
      updatedAtMs: 0,
    });
  return id;
}

/** Lets an actor's project have as much of everything as a test makes. */
export async function unlimited(actor: NetActor): Promise<void> {
  const admin = { ...(await mintActor('admin')), ...(actor.region ? { region: actor.region } : {}) };
  const counted = ['network', 'subnet', 'port', 'router', 'floatingip', 'security_group', 'security_group_rule'];
  const quota = Object.fromEntries([...counted, 'rbac_policy'].map((resource) => [resource, -1]));
  const { status } = await net(admin, 'PUT', `/quotas/${actor.projectId}`, { quota });
  if (status !== 200) throw new Error(`quota: ${status}`);
}
