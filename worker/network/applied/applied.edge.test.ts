import { beforeEach, expect, it } from 'vitest';
import type { MessageOf } from '../../../shared/protocol/messages.ts';
import { ComputeCloud } from '../../../test/compute-cloud.ts';
import { call } from '../../../test/edge-client.ts';
import { net, newNetwork } from '../../../test/edge-network.ts';
import { EdgeRunner, type Enrolled, enrol } from '../../../test/edge-runner.ts';
import { boot, contextOf } from '../../../test/edge-server-ports.ts';

let cloud: ComputeCloud;
let owner: ComputeCloud['user'] & { region: string };
let hosts: [Enrolled, Enrolled];
let links: EdgeRunner[];

async function aerostat(path: string, as = cloud.admin) {
  const response = await call('GET', `/r/${cloud.region}/aerostat/v1${path}`, { token: as.token });
  return (await response.json()) as ReturnType<typeof JSON.parse>;
}
const applied = async (path: string) => (await aerostat(`/applied/${path}`)).applied;

async function joined(): Promise<Enrolled> {
  const path = `/r/${cloud.region}/aerostat/v1/join-tokens`;
  const asked = await call('POST', path, { token: cloud.admin.token, body: { join_token: {} } });
  const { join_token } = (await asked.json()) as { join_token: { token: string } };
  return (await enrol({ token: join_token.token })).runner;
}

/** Reports what is sent, up to a series with a security group in it, but what is said otherwise. */
async function report(link: EdgeRunner, otherwise: Record<string, 'failed' | 'working'> = {}): Promise<void> {
  for (let found = false; !found; ) {
    const { objects } = (await link.next((one) => one.type === 'desired')) as MessageOf<'desired'>;
    const observations = objects.map(({ kind, id, generation, deleted }) => ({
      kind,
      id,
      generation,
      state: deleted ? ('absent' as const) : (otherwise[kind] ?? ('applied' as const)),
    }));
    link.send({ type: 'observed', complete: false, observations });
    found = objects.some(({ kind }) => kind === 'security-group');
  }
  await link.settled();
}

async function connect(host: Enrolled): Promise<EdgeRunner> {
  const link = await EdgeRunner.connect(host);
  links.push(link);
  return link;
}

/** A group that lets its own members in, on a server of each host. */
async function groupOnBoth() {
  const { networkId } = await newNetwork(owner);
  const made = await net(owner, 'POST', '/security-groups', { security_group: { name: 'g' } });
  const groupId: string = made.body.security_group.id;
  const rule = { security_group_id: groupId, direction: 'ingress', ethertype: 'IPv4' };
  await net(owner, 'POST', '/security-group-rules', { security_group_rule: { ...rule, remote_group_id: groupId } });
  const ports: string[] = [];
  for (const { id } of hosts) ports.push(...(await boot(contextOf(owner), id, { groups: [groupId] })).portIds);
  const addRule = async (port: number) => {
    const tcp = { ...rule, protocol: 'tcp', port_range_min: port, port_range_max: port };
    const answer = await net(owner, 'POST', '/security-group-rules', { security_group_rule: tcp });
    expect(answer.status).toBe(201);
  };
  return { networkId, groupId, ports, addRule };
}

beforeEach(async () => {
  cloud = await ComputeCloud.open();
  owner = { ...cloud.user, region: cloud.region };
  hosts = [await joined(), await joined()];
  links = [];
  return () => {
    for (const link of links) link.close();
  };
});

it('counts the machines that reported an object in force, also when one is away', async () => {
  const { networkId, groupId, ports, addRule } = await groupOnBoth();
  const [one, two] = hosts;
  expect(await applied(`security-groups/${groupId}`)).toMatchObject({ hosts_applied: 0, hosts_total: 2 });
  const first = await connect(one);
  await report(first);
  expect(await applied(`security-groups/${groupId}`)).toMatchObject({ hosts_applied: 1, hosts_total: 2 });
  expect(await applied(`networks/${networkId}`)).toMatchObject({ hosts_applied: 1, hosts_total: 2 });
  expect(await applied(`ports/${ports[0]}`)).toMatchObject({ hosts_applied: 1, hosts_total: 1 });
  expect(await applied(`ports/${ports[1]}`)).toMatchObject({ hosts_applied: 0, hosts_total: 1 });
  const second = await connect(two);
  await report(second);
  expect(await applied(`security-groups/${groupId}`)).toMatchObject({ hosts_applied: 2, hosts_total: 2 });

  second.close();
  await addRule(22);
  await report(first);
  const away = await applied(`security-groups/${groupId}`);
  const { revision_number } = (await net(owner, 'GET', `/security-groups/${groupId}`)).body.security_group;
  expect(away).toMatchObject({
    kind: 'security-group',
    id: groupId,
    revision_number,
    hosts_applied: 1,
    hosts_total: 2,
  });
  const byName = Object.fromEntries(away.hosts.map((host: { name: string }) => [host.name, host]));
  expect(byName[one.name]).toMatchObject({ applied: true, pending: 0, status: 'connected' });
  expect(byName[two.name]).toMatchObject({ applied: false, pending: 1 });
  await report(await connect(two));
  expect(await applied(`security-groups/${groupId}`)).toMatchObject({ hosts_applied: 2, hosts_total: 2 });
});

it('takes back what a machine reports otherwise, and waits for all that a group is made of', async () => {
  const { groupId, addRule } = await groupOnBoth();
  const link = await connect(hosts[0]);
  await report(link, { 'group-member': 'working' });
  expect(await applied(`security-groups/${groupId}`)).toMatchObject({ hosts_applied: 0, hosts_total: 2 });
  await addRule(22);
  await report(link);
  expect((await applied(`security-groups/${groupId}`)).hosts).toContainEqual(
    expect.objectContaining({ name: hosts[0].name, pending: 2 }),
  );
  link.send({ type: 'resync', reason: 'test' });
  await report(link);
  expect(await applied(`security-groups/${groupId}`)).toMatchObject({ hosts_applied: 1 });
  link.send({ type: 'resync', reason: 'test' });
  await report(link, { 'security-group': 'failed' });
  expect(await applied(`security-groups/${groupId}`)).toMatchObject({ hosts_applied: 0 });
});

it('tells an owner how many, and not which; and each machine how much it lags', async () => {
  const { groupId } = await groupOnBoth();
  await report(await connect(hosts[0]));
  const seen = (await aerostat(`/applied/security-groups/${groupId}`, owner)).applied;
  expect(seen).toMatchObject({ hosts_applied: 1, hosts_total: 2 });
  expect(seen).not.toHaveProperty('hosts');
  const { runners } = await aerostat('/runners');
  const pending = Object.fromEntries(
    runners.map((one: { name: string; pending_objects: number }) => [one.name, one.pending_objects]),
  );
  expect(pending[hosts[0].name]).toBe(0);
  expect(pending[hosts[1].name]).toBeGreaterThan(3);
  expect((await aerostat(`/applied/routers/${crypto.randomUUID()}`)).error.code).toBe(404);
});

it('counts no machine where nothing of an object is', async () => {
  const { networkId } = await newNetwork(owner);
  expect(await applied(`networks/${networkId}`)).toMatchObject({ hosts_applied: 0, hosts_total: 0, hosts: [] });
  const { body } = await net(owner, 'POST', '/routers', { router: { name: 'r' } });
  expect(await applied(`routers/${body.router.id}`)).toMatchObject({ kind: 'router', hosts_total: 0 });
});
