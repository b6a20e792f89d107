import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { loadSecrets } from '../../home/secrets.ts';
import { type Cloud, REGION, startCloud } from '../cloud.ts';
import { OpenstackShell } from './openstack-shell.ts';

const PROJECT = 'gemini';
const PASSWORD = 'rendez-vous-1965';

let cloud: Cloud;
let admin: OpenstackShell;
let user: OpenstackShell;

beforeAll(async () => {
  cloud = await startCloud();
  await cloud.runners({ hypervisor: 'simulated', count: 2, name: 'node' });
  const { adminPassword } = loadSecrets(cloud.paths.secrets);
  admin = new OpenstackShell(cloud, { user: 'admin', password: adminPassword, project: 'admin' });
  await admin.text(`project create ${PROJECT}`);
  await admin.text(`user create --project ${PROJECT} --password ${PASSWORD} wally`);
  await admin.text(`role add --project ${PROJECT} --user wally member`);
  user = new OpenstackShell(cloud, { user: 'wally', password: PASSWORD, project: PROJECT }, '2.90');
});
afterAll(async () => {
  admin?.close();
  user?.close();
  await cloud?.stop();
});

interface Row {
  ID: string;
  Name: string;
  [column: string]: unknown;
}
type Shown = { id: string; name: string } & Record<string, unknown>;
const names = async (shell: OpenstackShell, command: string) =>
  (await shell.json<Row[]>(command)).map(({ Name }) => Name).sort();

it('identity: domains, projects, users, roles', async () => {
  const domain = await admin.json<Shown>('domain create --description', ['of tests'], 'lab');
  expect(domain).toMatchObject({ name: 'lab', enabled: true, description: 'of tests' });
  expect(await names(admin, 'domain list')).toEqual(['Default', 'lab']);
  await admin.text('domain set --description changed lab');
  expect(await admin.json('domain show lab')).toMatchObject({ description: 'changed', enabled: true });

  await admin.text('project create --domain lab --tag red --property owner=me one');
  await admin.text('project set --domain lab --name two --description', ['second one'], '--tag blue one');
  const project = await admin.json<Shown>('project show --domain lab two');
  expect(project).toMatchObject({ description: 'second one', owner: 'me', domain_id: domain.id });
  expect([...(project['tags'] as string[])].sort()).toEqual(['blue', 'red']);
  expect(await names(admin, 'project list --domain lab')).toEqual(['two']);
  expect(await names(admin, 'project list --tags red,blue')).toEqual(['two']);
  expect(await names(user, 'project list --my-projects')).toEqual([PROJECT]);

  await admin.text('user create --domain lab --email a@b.c --password secret ann');
  await admin.text('user set --domain lab --name anna --email d@e.f ann');
  expect(await admin.json('user show --domain lab anna')).toMatchObject({ email: 'd@e.f', enabled: true });
  expect(await names(admin, 'user list --domain lab')).toEqual(['anna']);

  expect(await names(admin, 'role list')).toEqual(expect.arrayContaining(['admin', 'member', 'reader']));
  await admin.text('role create astronaut');
  await admin.text('role set --name pilot astronaut');
  expect((await admin.json<Shown>('role show pilot')).name).toBe('pilot');
  const grant = '--user anna --user-domain lab --project two --project-domain lab';
  await admin.text(`role add ${grant} pilot`);
  expect(await admin.json<object[]>(`role assignment list --names ${grant}`)).toMatchObject([
    { Role: 'pilot', User: 'anna@lab', Project: 'two@lab' },
  ]);
  await admin.text(`role remove ${grant} pilot`);
  expect(await admin.json(`role assignment list ${grant}`)).toEqual([]);
  expect(await admin.json('implied role list')).toContainEqual(
    expect.objectContaining({ 'Prior Role Name': 'member', 'Implied Role Name': 'reader' }),
  );
  for (const command of ['role delete pilot', 'user delete --domain lab anna', 'project delete --domain lab two'])
    await admin.text(command);
  await admin.text('domain set --disable lab');
  await admin.text('domain delete lab');
  expect(await admin.refusal('domain show lab')).toMatch(/No domain with a name or ID of 'lab' exists/);
  expect(await user.refusal('user list')).toMatch(/You are not authorized.*\(HTTP 403\) \(Request-ID: req-/);
});

it('identity: tokens, catalog, endpoints', async () => {
  const token = await user.json<Record<string, string>>('token issue');
  expect(Object.keys(token).sort()).toEqual(['expires', 'id', 'project_id', 'user_id']);
  await user.text(`token revoke ${token['id']}`);
  const catalog =
    await user.json<{ Name: string; Type: string; Endpoints: { interface: string; url: string }[] }[]>('catalog list');
  expect(catalog.map(({ Type }) => Type)).toEqual(expect.arrayContaining(['identity', 'compute', 'image', 'network']));
  for (const { Endpoints } of catalog) expect(Endpoints[0]?.url).toMatch(new RegExp(`^${cloud.url}/`));
  expect(await user.json('catalog show compute')).toMatchObject({ type: 'compute', name: 'nova' });

  const services = await admin.json<(Row & { Type: string })[]>('service list');
  expect(services.map(({ Type }) => Type)).toEqual(expect.arrayContaining(['identity', 'compute', 'image', 'network']));
  expect(await admin.json('service show nova')).toMatchObject({ type: 'compute', enabled: true });
  const endpoints = await admin.json<Record<string, string>[]>('endpoint list --service compute --interface public');
  expect(endpoints).toMatchObject([{ Region: REGION, 'Service Type': 'compute', Enabled: true, Interface: 'public' }]);
  expect(await admin.json(`endpoint show ${endpoints[0]?.['ID']}`)).toMatchObject({ url: `${cloud.url}/compute/v2.1` });
  expect(await admin.json('region list')).toMatchObject([{ Region: REGION }]);
  const versions = await user.json<Record<string, string>[]>('versions show');
  expect(versions.filter((one) => one['Status'] === 'CURRENT').map((one) => one['Service Type'])).toEqual(
    expect.arrayContaining(['identity', 'compute', 'image', 'network']),
  );
});

it('image: set, unset, save', async () => {
  const file = join(cloud.paths.stateDir, 'image.raw');
  const data = Buffer.alloc(70_000, 'aerostat');
  writeFileSync(file, data);
  await user.text(`image create --disk-format raw --container-format bare --file ${file} --property a=1 --tag x disk`);
  await user.text('image set --name base --min-ram 16 --property b=2 --property a=3 --tag y disk');
  await user.text('image unset --tag x --property b base');
  expect(await user.json('image show base')).toMatchObject({
    status: 'active',
    size: data.length,
    min_ram: 16,
    tags: ['y'],
    properties: expect.objectContaining({ a: '3' }),
  });
  const copy = join(cloud.paths.stateDir, 'copy.raw');
  await user.text(`image save --file ${copy} base`);
  expect(readFileSync(copy).equals(data)).toBe(true);
  expect(await names(user, 'image list --long --status active --tag y')).toEqual(['base']);
  await user.text('image set --deactivate base');
  expect(await user.json('image show base')).toMatchObject({ status: 'deactivated' });
});

it('compute: flavors and key pairs', async () => {
  await admin.text('flavor create --ram 64 --disk 1 --vcpus 1 --property quota:cpu=1 --property hw:x=2 m.tiny');
  await admin.text('flavor set --property hw:x=3 --description small m.tiny');
  await admin.text('flavor unset --property quota:cpu m.tiny');
  expect(await user.json('flavor show m.tiny')).toMatchObject({
    ram: 64,
    vcpus: 1,
    disk: 1,
    description: 'small',
    properties: { 'hw:x': '3' },
    'os-flavor-access:is_public': true,
  });
  await admin.text(`flavor create --private --project ${PROJECT} --ram 128 --disk 0 --vcpus 2 m.ours`);
  expect(await names(user, 'flavor list --long')).toEqual(['m.ours', 'm.tiny']);
  await admin.text(`flavor unset --project ${PROJECT} m.ours`);
  expect(await names(user, 'flavor list')).toEqual(['m.tiny']);
  await admin.text('flavor delete m.ours');

  expect(await user.text('keypair create laptop')).toContain('PRIVATE KEY');
  expect(await names(user, 'keypair list')).toEqual(['laptop']);
  expect(await user.json('keypair show laptop')).toMatchObject({ name: 'laptop', type: 'ssh' });
  const file = join(cloud.paths.stateDir, 'key.pub');
  writeFileSync(file, await user.text('keypair show --public-key laptop'));
  await user.text(`keypair create --public-key ${file} copy`);
  const fingerprint = async (name: string) => (await user.json(`keypair show ${name}`))['fingerprint'];
  expect(await fingerprint('copy')).toBe(await fingerprint('laptop'));
  await user.text('keypair delete laptop copy');
  expect(await user.refusal('keypair show laptop')).toMatch(/laptop/);
});

it('network: networks, subnets, ports, groups', async () => {
  await user.text('network create --description mine --mtu 1400 lan');
  await user.text('network set --name net --disable lan');
  expect(await user.json('network show net')).toMatchObject({ admin_state_up: false, mtu: 1400, status: 'ACTIVE' });
  await user.text('network set --enable net');
  expect(await names(user, 'network list --long --name net')).toEqual(['net']);

  const subnet = 'subnet create --network net --subnet-range 10.30.0.0/24 --dns-nameserver 9.9.9.9';
  await user.text(`${subnet} --allocation-pool start=10.30.0.10,end=10.30.0.99 sub`);
  await user.text('subnet set --name v4 --dns-nameserver 1.1.1.1 sub');
  await user.text('subnet unset --dns-nameserver 9.9.9.9 v4');
  expect(await user.json('subnet show v4')).toMatchObject({
    cidr: '10.30.0.0/24',
    gateway_ip: '10.30.0.1',
    dns_nameservers: ['1.1.1.1'],
    allocation_pools: [{ start: '10.30.0.10', end: '10.30.0.99' }],
  });
  expect(await names(user, 'subnet list --network net --ip-version 4')).toEqual(['v4']);

  await user.text('security group create --description of_web web');
  await user.text('security group set --name www web');
  const rule = 'security group rule create --ingress --protocol';
  const made = await user.json<Shown>(`${rule} tcp --dst-port 80:81 --remote-ip 10.0.0.0/8 www`);
  await user.text(`${rule} icmp --icmp-type 8 --remote-group default www`);
  const rules = await user.json<object[]>('security group rule list --long www');
  expect(rules).toHaveLength(4);
  expect(rules).toContainEqual(
    expect.objectContaining({ 'IP Protocol': 'tcp', 'Port Range': '80:81', 'IP Range': '10.0.0.0/8' }),
  );
  expect(await user.json(`security group rule show ${made.id}`)).toMatchObject({ direction: 'ingress' });
  await user.text(`security group rule delete ${made.id}`);
  expect(await user.json<object[]>('security group rule list www')).toHaveLength(3);
  expect(await names(user, 'security group list')).toEqual(['default', 'www']);
  expect((await user.json<Shown>('security group show www'))['description']).toBe('of_web');

  await user.text('port create --network net --fixed-ip subnet=v4,ip-address=10.30.0.50 --security-group www p1');
  await user.text('port set --name eth0 --description mine --security-group default p1');
  const port = await user.json<Shown>('port show eth0');
  expect(port).toMatchObject({ fixed_ips: [{ ip_address: '10.30.0.50' }], port_security_enabled: true });
  expect(port['security_group_ids']).toHaveLength(2);
  await user.text('port unset --security-group', [(port['security_group_ids'] as string[])[0] ?? ''], 'eth0');
  await user.text('port set --no-security-group --disable-port-security eth0');
  expect(await user.json('port show eth0')).toMatchObject({ security_group_ids: [], port_security_enabled: false });
  expect(await names(user, 'port list --fixed-ip ip-address=10.30.0.50')).toEqual(['eth0']);
  expect(await names(user, 'port list --network net --long')).toEqual(['eth0']);
  expect(await user.refusal('network delete net')).toMatch(/one or more ports in use|There are one or more ports/);
  await user.text('port delete eth0');
  await user.text('security group delete www');
});

it('compute: servers, as listed, changed and told of', async () => {
  await user.text('image set --activate base');
  const create = 'server create --wait --image base --flavor m.tiny --network net --property role=web';
  await user.text(`${create} --max 2 s`);
  expect(await names(user, 'server list')).toEqual(['s-1', 's-2']);
  const long = await user.json<Row[]>('server list --long --name ^s-1$ --status ACTIVE --image base --flavor m.tiny');
  expect(long).toMatchObject([
    { Name: 's-1', Status: 'ACTIVE', 'Power State': 1, 'Image Name': 'base', Flavor: 'm.tiny' },
  ]);
  expect(await names(user, 'server list --ip 10.30.0 --name s-2 --limit 1')).toEqual(['s-2']);
  expect(await names(admin, `server list --all-projects --project ${PROJECT}`)).toEqual(['s-1', 's-2']);
  expect(await names(user, 'server list --status ERROR')).toEqual([]);

  await user.text('server set --name web --property tier=gold --description ours s-1');
  await user.text('server unset --property role web');
  const shown = await user.json<Shown>('server show web');
  expect(shown).toMatchObject({ name: 'web', properties: { tier: 'gold' }, status: 'ACTIVE' });
  expect(shown).not.toHaveProperty('OS-EXT-SRV-ATTR:instance_name');
  expect(await admin.json(`server show ${shown.id}`)).toMatchObject({
    'OS-EXT-SRV-ATTR:instance_name': expect.stringMatching(/^instance-[0-9a-f]{8}$/),
  });

  await user.text('server reboot --hard --wait web');
  await user.text('server lock web');
  expect(await user.refusal('server stop web')).toMatch(/is locked \(HTTP 409\) \(Request-ID: req-/);
  await user.text('server unlock web');
  const events = await user.json<Record<string, string>[]>('server event list web');
  expect(events.map((event) => event['Action'])).toEqual(['unlock', 'lock', 'reboot', 'create']);
  const event = await user.json<Shown>(`server event show web ${events[2]?.['Request ID']}`);
  expect(event).toMatchObject({ action: 'reboot', events: [expect.objectContaining({ result: 'Success' })] });
  expect(await user.text('console log show web')).toBeTypeOf('string');
});

it('what operators look at', async () => {
  const hypervisors = await admin.json<Record<string, unknown>[]>('hypervisor list');
  expect(hypervisors).toHaveLength(2);
  const host = String(hypervisors[0]?.['Hypervisor Hostname']);
  expect(await admin.json(`hypervisor show ${host}`)).toMatchObject({ hypervisor_hostname: host, state: 'up' });
  const services = await admin.json<Record<string, string>[]>('compute service list');
  expect(services).toMatchObject([
    { Binary: 'nova-compute', Status: 'enabled', State: 'up', Zone: 'nova' },
    { Binary: 'nova-compute', Status: 'enabled', State: 'up', Zone: 'nova' },
  ]);
  await admin.text(`compute service set --disable --disable-reason repair ${host} nova-compute`);
  expect(await admin.json(`compute service list --host ${host} --long`)).toMatchObject([
    { Status: 'disabled', 'Disabled Reason': 'repair' },
  ]);
  await admin.text(`compute service set --enable ${host} nova-compute`);
  expect(await user.json('availability zone list --compute')).toMatchObject([
    { 'Zone Name': 'nova', 'Zone Status': 'available' },
  ]);
  const limits = await user.json<{ Name: string; Value: number }[]>('limits show --absolute');
  const limit = (name: string) => limits.find((one) => one.Name === name)?.Value;
  expect([limit('totalInstancesUsed'), limit('totalCoresUsed'), limit('totalRAMUsed')]).toEqual([2, 2, 128]);
  const extensions = await user.json<Record<string, string>[]>('extension list --network');
  expect(extensions.map((one) => one['Alias'])).toContain('security-group');
  expect(await user.refusal('hypervisor list')).toMatch(/Policy doesn't allow .* \(HTTP 403\)/);
});

it('leaves an empty project', async () => {
  await user.text('server delete --wait web s-2');
  expect(await user.json('server list')).toEqual([]);
  expect(await user.json('port list')).toEqual([]);
  await user.text('subnet delete v4');
  await user.text('network delete net');
  await user.text('image delete base');
  expect(await user.json('image list')).toEqual([]);
});
