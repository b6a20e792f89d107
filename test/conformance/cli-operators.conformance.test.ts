import { afterAll, beforeAll, expect, it } from 'vitest';
import { loadSecrets } from '../../home/secrets.ts';
import { until } from '../../home/until.ts';
import { type Cloud, startCloud } from '../cloud.ts';
import { OpenstackShell } from './openstack-shell.ts';

const PROJECT = 'apollo';
const PASSWORD = 'one-small-step-1969';
const GONE_MS = 30_000;

let cloud: Cloud;
let admin: OpenstackShell;
let user: OpenstackShell;
let hosts: string[];

beforeAll(async () => {
  cloud = await startCloud();
  await cloud.runners({ hypervisor: 'simulated', count: 2, name: 'node' });
  const { adminPassword } = loadSecrets(cloud.paths.secrets);
  admin = new OpenstackShell(cloud, { user: 'admin', password: adminPassword, project: 'admin' }, '2.90');
  await admin.text(`project create ${PROJECT}`);
  await admin.text(`user create --project ${PROJECT} --password ${PASSWORD} buzz`);
  await admin.text(`role add --project ${PROJECT} --user buzz member`);
  user = new OpenstackShell(cloud, { user: 'buzz', password: PASSWORD, project: PROJECT }, '2.90');
  await admin.text('flavor create --ram 64 --vcpus 1 --disk 1 tiny');
  const image = { name: 'base', disk_format: 'raw', container_format: 'bare', visibility: 'public' };
  const { id } = await cloud.admin.call<{ id: string }>('image', 'POST', '/v2/images', image);
  await cloud.admin.call('image', 'PUT', `/v2/images/${id}/file`, new Uint8Array(4096), {
    'content-type': 'application/octet-stream',
  });
  const listed = await admin.json<Record<string, string>[]>('hypervisor list');
  hosts = listed.map((row) => row['Hypervisor Hostname'] ?? '').sort();
});
afterAll(async () => {
  admin?.close();
  user?.close();
  await cloud?.stop();
});

type Shown = Record<string, unknown>;
const boot = (shell: OpenstackShell, name: string, more = '') =>
  shell.text(`server create --image base --flavor tiny --nic none ${more} --wait ${name}`.replace(/ +/g, ' '));
const hostOf = async (server: string) =>
  (await admin.json<Shown>(`server show ${await idOf(server)}`))['OS-EXT-SRV-ATTR:host'];
const idOf = async (server: string) => (await user.json<Shown>(`server show ${server}`)).id as string;
const remove = async (...servers: string[]) => {
  for (const server of servers) await user.text(`server delete --wait ${server}`);
};

it('aggregates make zones, and hold machines with what is said of them', async () => {
  const made = await admin.json<Shown>('aggregate create --zone moon --property disk=ssd lander');
  expect(made).toMatchObject({ name: 'lander', availability_zone: 'moon' });
  expect(await admin.json(`aggregate add host lander ${hosts[0]}`)).toMatchObject({ hosts: [hosts[0]] });
  expect(await admin.json('aggregate show lander')).toMatchObject({ properties: { disk: 'ssd' }, hosts: [hosts[0]] });
  expect(await admin.json('aggregate list --long')).toMatchObject([
    { Name: 'lander', 'Availability Zone': 'moon', Properties: { disk: 'ssd' } },
  ]);
  expect(await user.json('availability zone list --compute')).toEqual(
    expect.arrayContaining([expect.objectContaining({ 'Zone Name': 'moon', 'Zone Status': 'available' })]),
  );
  await boot(user, 'eagle', '--availability-zone moon');
  expect(await hostOf('eagle')).toBe(hosts[0]);
  await admin.text('flavor create --ram 64 --vcpus 1 --disk 1 --property aggregate_instance_extra_specs:disk=ssd fast');
  await user.text('server create --image base --flavor fast --nic none --wait falcon');
  expect(await hostOf('falcon')).toBe(hosts[0]);
  await remove('eagle', 'falcon');
  await admin.text('aggregate unset --property disk lander');
  await admin.text('aggregate set --name orbiter lander');
  expect(await admin.refusal('aggregate delete orbiter')).toContain('Host aggregate is not empty');
  await admin.text(`aggregate remove host orbiter ${hosts[0]}`);
  await admin.text('aggregate delete orbiter');
  expect(await admin.json('aggregate list')).toEqual([]);
  expect(await user.refusal('aggregate list')).toMatch(/Policy doesn't allow/);
});

it('server groups keep servers apart or together', async () => {
  const apart = await user.json<Shown>('server group create --policy anti-affinity --rule max_server_per_host=1 apart');
  expect(apart).toMatchObject({ name: 'apart', policy: 'anti-affinity', rules: { max_server_per_host: 1 } });
  await boot(user, 'one', `--hint group=${apart.id}`);
  await boot(user, 'two', `--hint group=${apart.id}`);
  expect(new Set([await hostOf('one'), await hostOf('two')]).size).toBe(2);
  await boot(user, 'three', `--hint group=${apart.id}`);
  expect(await user.json('server show three')).toMatchObject({
    status: 'ERROR',
    fault: expect.objectContaining({ message: expect.stringContaining('2 against the policy anti-affinity') }),
  });
  await remove('one', 'two', 'three');
  await user.text('server group delete apart');
  expect(await user.json('server group list')).toEqual([]);
});

it('quotas hold for a project, and are told with what is used', async () => {
  await admin.text(`quota set --instances 1 --cores 4 ${PROJECT}`);
  await boot(user, 'only');
  const quota = await admin.json<Shown[]>(`quota list --detail --compute --project ${PROJECT}`);
  expect(quota).toEqual(
    expect.arrayContaining([
      { Resource: 'instances', 'In Use': 1, Reserved: 0, Limit: 1 },
      { Resource: 'cores', 'In Use': 1, Reserved: 0, Limit: 4 },
    ]),
  );
  expect(await user.refusal('server create --image base --flavor tiny --nic none more')).toContain(
    'Quota exceeded for instances: Requested 1, but already used 1 of 1 instances',
  );
  const limits = await user.json<{ Name: string; Value: number }[]>('limits show --absolute');
  const absolute = (name: string) => limits.find((one) => one.Name === name)?.Value;
  expect([absolute('maxTotalInstances'), absolute('totalInstancesUsed')]).toEqual([1, 1]);
  await admin.text(`quota set --instances -1 ${PROJECT}`);
  await remove('only');
});

it('quotas of the default class hold for whoever has none of its own', async () => {
  await admin.text('quota set --class --key-pairs 7 default');
  const limits = await user.json<{ Name: string; Value: number }[]>('limits show --absolute');
  expect(limits).toContainEqual({ Name: 'maxTotalKeypairs', Value: 7 });
});

it('usage is summed up by project', async () => {
  const project = (await admin.json<Shown>(`project show ${PROJECT}`)).id;
  const listed = await admin.json<Shown[]>('usage list');
  expect(listed).toEqual(expect.arrayContaining([expect.objectContaining({ Project: project })]));
  expect(await admin.json(`usage show --project ${PROJECT}`)).toMatchObject({ 'CPU Hours': expect.any(Number) });
});

it('services are disabled, forced down and forgotten; hypervisors tell of themselves', async () => {
  const services = await admin.json<Record<string, string>[]>('compute service list');
  const service = services.find((one) => one['Host'] === hosts[1]);
  await admin.text(`compute service set --disable --disable-reason repair ${hosts[1]} nova-compute`);
  await admin.text(`compute service set --down ${hosts[1]} nova-compute`);
  expect(await admin.json(`compute service list --long --host ${hosts[1]}`)).toMatchObject([
    { Status: 'disabled', State: 'down', 'Disabled Reason': 'repair', 'Forced Down': true },
  ]);
  await admin.text(`compute service set --up ${hosts[1]} nova-compute`);
  const shown = await admin.json<Shown>(`hypervisor show ${hosts[1]}`);
  expect(shown).toMatchObject({ state: 'up', status: 'disabled', hypervisor_type: 'SIMULATED' });
  // The client takes the words of `uptime` apart.
  expect(shown).toMatchObject({ load_average: expect.any(String), host_time: expect.any(String) });
  await until('an empty machine', GONE_MS, async () => {
    await admin.text(`compute service delete ${service?.['ID']}`).catch(() => {});
    return (await admin.json<object[]>('compute service list')).length === 1;
  });
});
