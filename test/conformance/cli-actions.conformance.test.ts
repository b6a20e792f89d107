import { afterAll, beforeAll, expect, it } from 'vitest';
import { loadSecrets } from '../../home/secrets.ts';
import { until } from '../../home/until.ts';
import { type Cloud, startCloud } from '../cloud.ts';
import { OpenstackShell } from './openstack-shell.ts';

/* What the `openstack` command does to a server, against a whole cloud of simulated machines. */

const PROJECT = 'gemini';
const PASSWORD = 'walk-in-space-1965';
const WAIT_MS = 30_000;

let cloud: Cloud;
let user: OpenstackShell;

beforeAll(async () => {
  cloud = await startCloud();
  await cloud.runners({ hypervisor: 'simulated', count: 2, name: 'node' });
  const { adminPassword } = loadSecrets(cloud.paths.secrets);
  const admin = new OpenstackShell(cloud, { user: 'admin', password: adminPassword, project: 'admin' }, '2.90');
  await admin.text(`project create ${PROJECT}`);
  await admin.text(`user create --project ${PROJECT} --password ${PASSWORD} ed`);
  await admin.text(`role add --project ${PROJECT} --user ed member`);
  await admin.text('flavor create --ram 64 --vcpus 1 --disk 1 tiny');
  admin.close();
  user = new OpenstackShell(cloud, { user: 'ed', password: PASSWORD, project: PROJECT }, '2.90');
  const image = { name: 'base', disk_format: 'raw', container_format: 'bare', visibility: 'public' };
  const { id } = await cloud.admin.call<{ id: string }>('image', 'POST', '/v2/images', image);
  await cloud.admin.call('image', 'PUT', `/v2/images/${id}/file`, new Uint8Array(4096), {
    'content-type': 'application/octet-stream',
  });
  await user.text('network create net');
  await user.text('subnet create --network net --subnet-range 10.40.0.0/24 sub');
  await user.text('server create --image base --flavor tiny --network net --wait web');
});
afterAll(async () => {
  user?.close();
  await cloud?.stop();
});

type Shown = Record<string, unknown>;
const show = () => user.json<Shown>('server show web');
/** Does something to the server, and waits until it is so. */
const does = async (command: string, status: string) => {
  await user.text(command);
  const reached = async () => {
    const shown = await show();
    return shown.status === status && shown['OS-EXT-STS:task_state'] === null;
  };
  await until(`${command} to be done`, WAIT_MS, reached);
};

it('holds a server still and lets it go on', async () => {
  await does('server pause web', 'PAUSED');
  await does('server unpause web', 'ACTIVE');
  await does('server suspend web', 'SUSPENDED');
  expect(await user.refusal('server stop web')).toMatch(/Cannot 'stop' instance .* vm_state suspended \(HTTP 409\)/);
  await does('server resume web', 'ACTIVE');
  await does('server stop web', 'SHUTOFF');
  await does('server start web', 'ACTIVE');
});

it('rescues and rebuilds it', async () => {
  await does('server rescue --image base web', 'RESCUE');
  await does('server unrescue web', 'ACTIVE');
  await does('server rebuild --image base --name web --property tier=gold web', 'ACTIVE');
  expect(await show()).toMatchObject({ properties: { tier: 'gold' } });
});

it('takes images and backups of it', async () => {
  const image = await user.json<Shown>('server image create --name snap --wait web');
  expect(image).toMatchObject({ name: 'snap', status: 'active' });
  expect(await user.json('image show snap')).toMatchObject({ disk_format: 'qcow2', visibility: 'private' });
  for (const name of ['b1', 'b2', 'b3']) {
    await user.text(`server backup create --name ${name} --type daily --rotate 2 --wait web`);
  }
  const left = async () => (await user.json<{ Name: string }[]>('image list --private')).map((one) => one.Name).sort();
  await until('the oldest backup to go', WAIT_MS, async () => (await left()).join() === 'b2,b3,snap');
});

it('shelves it off its machine, and brings it back with its address', async () => {
  const { addresses } = await show();
  await does('server shelve web', 'SHELVED_OFFLOADED');
  expect((await show()).addresses).toEqual(addresses);
  await does('server unshelve web', 'ACTIVE');
  expect((await show()).addresses).toEqual(addresses);
  const images = await user.json<{ Name: string }[]>('image list --private');
  expect(images.map((one) => one.Name)).not.toContain('web-shelved');
});

it('plugs ports and groups into it and out', async () => {
  await user.text('port create --network net eth1');
  await user.text('server add port web eth1');
  expect(await user.json<object[]>('port list --server web')).toHaveLength(2);
  await user.text('server remove port web eth1');
  expect(await user.json<object[]>('port list --server web')).toHaveLength(1);
  await user.text('security group create www');
  await user.text('server add security group web www');
  expect(JSON.stringify((await show()).security_groups)).toContain('www');
  await user.text('server remove security group web www');
  expect(JSON.stringify((await show()).security_groups)).not.toContain('www');
});

it('has it dump, opens its console and says what was done', async () => {
  await user.text('server dump create web');
  const { url } = await user.json<{ url: string }>('console url show --serial web');
  expect(url).toMatch(/^wss?:\/\/.*token=[0-9a-f]{64}$/);
  const events = await user.json<Record<string, string>[]>('server event list web');
  const done = new Set(events.map((event) => event.Action));
  for (const action of [
    ...['pause', 'unpause', 'suspend', 'resume', 'stop', 'start', 'rescue', 'unrescue', 'rebuild', 'createImage'],
    ...['createBackup', 'shelve', 'unshelve', 'attach_interface', 'detach_interface', 'trigger_crash_dump'],
  ]) {
    expect(done, action).toContain(action);
  }
  await user.text('server delete --wait web');
});
