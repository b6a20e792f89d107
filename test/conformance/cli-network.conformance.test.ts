import { afterAll, beforeAll, expect, it } from 'vitest';
import { loadSecrets } from '../../home/secrets.ts';
import { type Cloud, startCloud } from '../cloud.ts';
import { OpenstackShell } from './openstack-shell.ts';

const PROJECT = 'apollo';
const PASSWORD = 'tranquility-1969';

let cloud: Cloud;
let admin: OpenstackShell;
let user: OpenstackShell;

beforeAll(async () => {
  cloud = await startCloud();
  await cloud.runners({ hypervisor: 'simulated', count: 2, name: 'node' });
  const { adminPassword } = loadSecrets(cloud.paths.secrets);
  admin = new OpenstackShell(cloud, { user: 'admin', password: adminPassword, project: 'admin' });
  await admin.text(`project create ${PROJECT}`);
  await admin.text(`user create --project ${PROJECT} --password ${PASSWORD} buzz`);
  await admin.text(`role add --project ${PROJECT} --user buzz member`);
  user = new OpenstackShell(cloud, { user: 'buzz', password: PASSWORD, project: PROJECT }, '2.90');
  await admin.text('network create --external --provider-network-type flat --provider-physical-network public world');
  await admin.text('subnet create --network world --subnet-range 203.0.113.0/24 --no-dhcp world4');
  await user.text('network create lan');
  await user.text('subnet create --network lan --subnet-range 10.40.0.0/24 lan4');
});
afterAll(async () => {
  admin?.close();
  user?.close();
  await cloud?.stop();
});

type Shown = { id: string; name: string } & Record<string, unknown>;
type Row = Record<string, unknown>;
const names = async (shell: OpenstackShell, command: string) =>
  (await shell.json<{ Name: string }[]>(command)).map(({ Name }) => Name).sort();

it('networks: on cables, of IPv6, tagged, shared with one project', async () => {
  const vlan = 'network create --provider-network-type vlan --provider-physical-network racks --provider-segment 42';
  const made = await admin.json<Shown>(`${vlan} --mtu 1500 --no-share rack42`);
  expect(made).toMatchObject({
    'provider:network_type': 'vlan',
    'provider:physical_network': 'racks',
    'provider:segmentation_id': 42,
    mtu: 1500,
  });
  await admin.text(`network rbac create --type network --action access_as_shared --target-project ${PROJECT} rack42`);
  expect(await names(user, 'network list')).toEqual(['lan', 'rack42', 'world']);
  const [policy] = await admin.json<Row[]>('network rbac list --type network --long');
  const id = String((await admin.json<Row[]>('network rbac list --type network')).at(-1)?.['ID']);
  expect(policy).toHaveProperty('Action');
  expect(await admin.json(`network rbac show ${id}`)).toMatchObject({ action: expect.stringMatching(/^access_as_/) });
  const subnet = 'subnet create --network lan --ip-version 6 --subnet-range fd00:40::/64';
  await user.text(`${subnet} --gateway fd00:40::1 --no-dhcp lan6`);
  expect(await user.json('subnet show lan6')).toMatchObject({
    ip_version: 6,
    enable_dhcp: false,
    gateway_ip: 'fd00:40::1',
  });
  await user.text('network set --tag blue --description ours lan');
  expect(await names(user, 'network list --tags blue')).toEqual(['lan']);
  await user.text('network unset --tag blue lan');
  expect(await names(user, 'network list --tags blue')).toEqual([]);
  await user.text('subnet delete lan6');
  await admin.text('network delete rack42');
  expect(await names(user, 'network list --external')).toEqual(['world']);
});

it('subnet pools and address scopes', async () => {
  await user.text('address scope create --ip-version 4 ours');
  const pool = 'subnet pool create --pool-prefix 10.64.0.0/16 --default-prefix-length 26 --address-scope ours';
  await user.text(`${pool} --default-quota 1024 pool`);
  await user.text('subnet pool set --pool-prefix 10.65.0.0/16 --description more --tag a pool');
  expect(await user.json('subnet pool show pool')).toMatchObject({
    prefixes: expect.arrayContaining([expect.stringMatching(/^10\.64\.0\.0\/1[56]$/)]),
    default_prefixlen: 26,
    default_quota: 1024,
  });
  await user.text('network create pooled');
  const subnet = await user.json<Shown>('subnet create --network pooled --subnet-pool pool --prefix-length 27 s');
  expect(subnet['cidr']).toMatch(/^10\.6[45]\.\d+\.\d+\/27$/);
  expect(await user.refusal('subnet pool delete pool')).toMatch(/SubnetPool|in use|Subnet pool/);
  expect(await names(user, 'subnet pool list --address-scope ours')).toEqual(['pool']);
  expect(await user.json('address scope list')).toMatchObject([{ Name: 'ours', 'IP Version': 4 }]);
  await user.text('network delete pooled');
  await user.text('subnet pool delete pool');
  await user.text('address scope set --name theirs ours');
  await user.text('address scope delete theirs');
});

it('ports: addresses, pairs, DHCP options, groups of addresses', async () => {
  const pairs =
    '--allowed-address ip-address=10.40.0.200 --allowed-address ip-address=10.40.0.208/28,mac-address=fa:16:3e:00:00:01';
  await user.text(
    `port create --network lan --fixed-ip ip-address=10.40.0.7 ${pairs} --extra-dhcp-option name=mtu,value=1400 p`,
  );
  const port = await user.json<Shown>('port show p');
  expect(port).toMatchObject({
    allowed_address_pairs: [
      { ip_address: '10.40.0.200', mac_address: port['mac_address'] },
      { ip_address: '10.40.0.208/28', mac_address: 'fa:16:3e:00:00:01' },
    ],
    extra_dhcp_opts: [{ opt_name: 'mtu', opt_value: '1400', ip_version: 4 }],
  });
  await user.text('port set --no-allowed-address --tag web --description d p');
  expect(await user.json('port show p')).toMatchObject({ allowed_address_pairs: [], tags: ['web'], description: 'd' });
  expect(await names(user, 'port list --network lan --tags web')).toEqual(['p']);
  await user.text('address group create --address 192.0.2.0/24 --description d friends');
  await user.text('address group set --address 198.51.100.7/32 friends');
  await user.text('address group unset --address 192.0.2.0/24 friends');
  expect(await user.json('address group show friends')).toMatchObject({ addresses: ['198.51.100.7/32'] });
  await user.text('security group create web');
  const rule = 'security group rule create --protocol tcp --dst-port 443';
  const made = await user.json<Shown>(`${rule} --remote-address-group friends web`);
  expect(made['remote_address_group_id']).toMatch(/^[0-9a-f-]{36}$/);
  expect(await user.refusal('address group delete friends')).toMatch(/in use/);
  await user.text('security group create --stateless loose');
  expect(await user.json('security group show loose')).toMatchObject({ stateful: false });
  await user.text('security group delete web loose');
  await user.text('address group delete friends');
  await user.text('port delete p');
});

it('routers, floating IPs and forwarded ports', async () => {
  await user.text('router create --description d way');
  await user.text('router add subnet way lan4');
  await user.text(
    'router set --external-gateway world --route destination=10.99.0.0/24,gateway=10.40.0.9 --name gate way',
  );
  const router = await user.json<Shown>('router show gate');
  expect(router).toMatchObject({
    status: 'ACTIVE',
    routes: [{ destination: '10.99.0.0/24', nexthop: '10.40.0.9' }],
    external_gateway_info: { enable_snat: true },
    interfaces_info: [expect.objectContaining({ ip_address: '10.40.0.1' })],
  });
  await user.text('router add route --route destination=10.98.0.0/24,gateway=10.40.0.9 gate');
  await user.text('router remove route --route destination=10.99.0.0/24,gateway=10.40.0.9 gate');
  expect(await user.json('router show gate')).toMatchObject({ routes: [{ destination: '10.98.0.0/24' }] });
  expect(await names(user, 'router list --long --name gate')).toEqual(['gate']);

  await user.text('port create --network lan web');
  const address = await user.json<Row>('floating ip create --port web --description d --tag t world');
  const ip = String(address['floating_ip_address']);
  expect(await user.json('floating ip list --long --port web')).toMatchObject([
    { 'Floating IP Address': ip, Description: 'd' },
  ]);
  expect(await user.refusal('router remove subnet gate lan4')).toMatch(/floating|required/i);
  await user.text(`floating ip unset --port ${ip}`);
  expect(await user.json(`floating ip show ${ip}`)).toMatchObject({ port_id: null, status: 'DOWN', tags: ['t'] });
  await user.text(`floating ip set --port web ${ip}`);
  expect(await user.json(`floating ip show ${ip}`)).toMatchObject({
    fixed_ip_address: expect.stringMatching(/^10\.40\./),
  });
  await user.text(`floating ip delete ${ip}`);

  const shared = String((await user.json<Row>('floating ip create world'))['floating_ip_address']);
  const [inside] = await user.json<Row[]>('port list --network lan --device-owner network:none');
  expect(inside).toBeUndefined();
  const fixed =
    (await user.json<{ fixed_ips: { ip_address: string }[] }>('port show web')).fixed_ips[0]?.ip_address ?? '';
  const forward = `floating ip port forwarding create --internal-ip-address ${fixed} --port web --protocol tcp`;
  const made = await user.json<Shown>(`${forward} --internal-protocol-port 80 --external-protocol-port 8080 ${shared}`);
  expect(made).toMatchObject({ external_port: 8080, internal_port: 80, protocol: 'tcp' });
  await user.text(`floating ip port forwarding set --internal-protocol-port 81 --description d ${shared} ${made.id}`);
  expect(await user.json(`floating ip port forwarding show ${shared} ${made.id}`)).toMatchObject({ internal_port: 81 });
  expect(await user.json<Row[]>(`floating ip port forwarding list ${shared}`)).toHaveLength(1);
  await user.text(`floating ip port forwarding delete ${shared} ${made.id}`);
  await user.text(`floating ip delete ${shared}`);
  await user.text('port delete web');
  await user.text('router unset --external-gateway --route destination=10.98.0.0/24,gateway=10.40.0.9 gate');
  await user.text('router remove subnet gate lan4');
  await user.text('router delete gate');
});

it('quality of service', async () => {
  await admin.text('network qos policy create --share --description d slow');
  const rule = await admin.json<Shown>(
    'network qos rule create --type bandwidth-limit --max-kbps 1000 --max-burst-kbits 800 --egress slow',
  );
  await admin.text(`network qos rule set --max-kbps 2000 slow ${rule.id}`);
  await admin.text('network qos rule create --type dscp-marking --dscp-mark 26 slow');
  expect(await admin.json<Row[]>('network qos rule list slow')).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ Type: 'bandwidth_limit', 'Max Kbps': 2000 }),
      expect.objectContaining({ Type: 'dscp_marking', 'DSCP mark': 26 }),
    ]),
  );
  expect((await admin.json<{ Type: string }[]>('network qos rule type list')).map(({ Type }) => Type).sort()).toEqual([
    'bandwidth_limit',
    'dscp_marking',
  ]);
  await user.text('port create --network lan --qos-policy slow q');
  const policy = await user.json<Shown>('network qos policy show slow');
  expect(await user.json('port show q')).toMatchObject({ qos_policy_id: policy.id });
  expect(await admin.refusal('network qos policy delete slow')).toMatch(/in use|is used/);
  await user.text('port unset --qos-policy q');
  await user.text('port delete q');
  await admin.text(`network qos rule delete slow ${rule.id}`);
  await admin.text('network qos policy delete slow');
});

it('what operators look at', async () => {
  const agents = await admin.json<Row[]>('network agent list');
  expect(agents.map((one) => one['Host']).sort()).toEqual(['node-0001', 'node-0002']);
  const [agent] = agents;
  await admin.text(`network agent set --disable ${agent?.['ID']}`);
  expect(await admin.json(`network agent show ${agent?.['ID']}`)).toMatchObject({ admin_state_up: false, alive: true });
  await admin.text(`network agent set --enable ${agent?.['ID']}`);
  expect(await admin.json('ip availability list')).toEqual(
    expect.arrayContaining([expect.objectContaining({ 'Network Name': 'lan', 'Used IPs': expect.any(Number) })]),
  );
  expect(await admin.json('ip availability show lan')).toMatchObject({ network_name: 'lan' });
  expect(await user.json('availability zone list --network')).toMatchObject([
    expect.objectContaining({ 'Zone Name': 'nova', 'Zone Status': 'available' }),
    expect.objectContaining({ 'Zone Name': 'nova' }),
  ]);
  await admin.text(`quota set --networks 1 --subnets 7 --floating-ips 3 ${PROJECT}`);
  const quota = await admin.json<Record<string, number> | Row[]>(`quota show ${PROJECT}`);
  expect(JSON.stringify(quota)).toMatch(/"subnets": ?7|"Resource": ?"subnets", ?"Limit": ?7/);
  expect(await user.refusal('network create more')).toMatch(/Quota exceeded/);
  expect(await user.json('network agent list')).toEqual([]);
  expect(await user.refusal('network show nothing')).toMatch(/No Network found for nothing/);
});
