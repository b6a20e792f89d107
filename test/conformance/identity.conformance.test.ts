import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
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
  const { adminPassword } = loadSecrets(cloud.paths.secrets);
  admin = new OpenstackShell(cloud, { user: 'admin', password: adminPassword, project: 'admin' });
  await admin.text(`project create ${PROJECT}`);
  for (const name of ['buzz', 'neil'])
    await admin.text(`user create --project ${PROJECT} --password ${PASSWORD} ${name}`);
  await admin.text(`role add --project ${PROJECT} --user buzz member`);
  user = new OpenstackShell(cloud, { user: 'buzz', password: PASSWORD, project: PROJECT });
});
afterAll(async () => {
  admin?.close();
  user?.close();
  await cloud?.stop();
});

type Row = Record<string, unknown>;
const columns = async (shell: OpenstackShell, command: string, name = 'Name') =>
  (await shell.json<Row[]>(command)).map((row) => row[name]);

it('groups, and what is granted to them', async () => {
  await admin.text('group create --description crew lunar');
  await admin.text('group add user lunar buzz neil');
  expect(await admin.text('group contains user lunar buzz')).toContain('buzz in group lunar');
  expect((await columns(admin, 'user list --group lunar')).sort()).toEqual(['buzz', 'neil']);
  expect(await columns(admin, 'group list --user buzz')).toEqual(['lunar']);
  await admin.text('group set --name moon --description walkers lunar');
  expect(await admin.json('group show moon')).toMatchObject({ description: 'walkers' });
  await admin.text(`role add --project ${PROJECT} --group moon reader`);
  expect(await admin.json(`role assignment list --names --group moon`)).toMatchObject([
    { Role: 'reader', Group: 'moon@Default', Project: `${PROJECT}@Default` },
  ]);
  expect(await columns(admin, `role assignment list --names --effective --user neil`, 'Role')).toEqual(['reader']);
  await admin.text(`role remove --project ${PROJECT} --group moon reader`);
  await admin.text('group remove user moon neil');
  await admin.text('group delete moon');
});

it('roles that imply others', async () => {
  await admin.text('role create pilot');
  await admin.text('implied role create pilot --implied-role reader');
  expect(await columns(admin, 'implied role list', 'Prior Role Name')).toContain('pilot');
  await admin.text('implied role delete pilot --implied-role reader');
  await admin.text('role delete pilot');
});

it('regions, services and endpoints', async () => {
  await admin.text('region create --description far moon');
  await admin.text('region create --parent-region moon crater');
  await admin.text('region set --description farther moon');
  expect(await admin.json('region show moon')).toMatchObject({ description: 'farther' });
  expect(await columns(admin, 'region list --parent-region moon', 'Region')).toEqual(['crater']);
  await admin.text('service create --name relay --description x telemetry');
  await admin.text('service set --description y relay');
  expect(await admin.json('service show relay')).toMatchObject({ type: 'telemetry', description: 'y', enabled: true });
  const { id } = await admin.json<{ id: string }>(
    'endpoint create --region moon relay public http://relay.test/$(project_id)s',
  );
  const { id: projectId } = await user.json<{ id: string }>(`project show ${PROJECT}`);
  expect(await user.text('catalog show telemetry')).toContain(`http://relay.test/${projectId}`);
  await admin.text(`endpoint set --url http://relay.test/v1 ${id}`);
  expect(await admin.json(`endpoint show ${id}`)).toMatchObject({ url: 'http://relay.test/v1', region: 'moon' });
  await admin.text(`endpoint add project ${id} ${PROJECT}`);
  expect(await columns(user, 'catalog list')).toEqual(['relay']);
  await admin.text(`endpoint remove project ${id} ${PROJECT}`);
  await admin.text(`endpoint delete ${id}`);
  await admin.text('service delete relay');
  await admin.text('region delete moon');
  expect(await columns(admin, 'region list', 'Region')).toEqual(['RegionOne']);
});

it('application credentials and access rules', async () => {
  const rules = JSON.stringify([{ path: '/v2.1/servers', method: 'GET', service: 'compute' }]);
  const made = await user.json(
    'application credential create --description x --role member --access-rules',
    [rules],
    'eagle',
  );
  expect(made).toMatchObject({ name: 'eagle', unrestricted: false, description: 'x' });
  expect(await columns(user, 'application credential list')).toEqual(['eagle']);
  expect(await user.json('application credential show eagle')).toMatchObject({ id: made.id });
  const [rule] = await user.json<Row[]>('access rule list');
  expect(rule).toMatchObject({ Service: 'compute', Method: 'GET', Path: '/v2.1/servers' });
  expect(await user.refusal(`access rule delete ${rule?.ID}`)).toMatch(/in use.*\(HTTP 403\)|HTTP 403/);
  await user.text('application credential delete eagle');
  await user.text(`access rule delete ${rule?.ID}`);
  expect(await user.json('access rule list')).toEqual([]);
});

it('key pairs for EC2, and credentials', async () => {
  const pair = await user.json<Record<string, string>>('ec2 credentials create');
  expect(await columns(user, 'ec2 credentials list', 'Access')).toEqual([pair.access]);
  expect(await user.json(`ec2 credentials show ${pair.access}`)).toMatchObject({ secret: pair.secret });
  await user.text(`ec2 credentials delete ${pair.access}`);
  const { id } = await admin.json<{ id: string }>('credential create --type cert buzz hush');
  await admin.text(`credential set --user buzz --type cert --data psst ${id}`);
  expect(await admin.json(`credential show ${id}`)).toMatchObject({ blob: 'psst', type: 'cert' });
  expect(await columns(admin, 'credential list --type cert', 'ID')).toEqual([id]);
  await admin.text(`credential delete ${id}`);
});

it('trusts', async () => {
  // Members may look up neither users nor roles: they go by ids, as for projects.
  const idOf = async (what: string) => (await admin.json<{ id: string }>(what)).id;
  const [buzz, neil] = [await idOf('user show buzz'), await idOf('user show neil')];
  const project = await idOf(`project show ${PROJECT}`);
  const create = `trust create --project ${project} --role ${await idOf('role show member')} --impersonate`;
  const trust = await user.json<{ id: string }>(`${create} ${buzz} ${neil}`);
  expect(trust).toMatchObject({ impersonation: true, roles: 'member', trustee_user_id: neil });
  expect(await columns(admin, 'trust list', 'ID')).toEqual([trust.id]);
  expect(await user.json(`trust show ${trust.id}`)).toMatchObject({ id: trust.id });
  await user.text(`trust delete ${trust.id}`);
  expect(await admin.json('trust list')).toEqual([]);
});

it('limits, policies and consumers', async () => {
  await admin.text('registered limit create --service nova --default-limit 10 class:VCPU');
  const [registered] = await admin.json<Row[]>('registered limit list');
  expect(registered).toMatchObject({ 'Resource Name': 'class:VCPU', 'Default Limit': 10 });
  const limit = await admin.json<{ id: string }>(
    `limit create --project ${PROJECT} --service nova --resource-limit 5 class:VCPU`,
  );
  await admin.text(`limit set --resource-limit 6 --description more ${limit.id}`);
  expect(await user.json(`limit show ${limit.id}`)).toMatchObject({ resource_limit: 6, description: 'more' });
  expect(await columns(user, 'limit list', 'ID')).toEqual([limit.id]);
  await admin.text(`limit delete ${limit.id}`);
  await admin.text(`registered limit set --default-limit 11 ${registered?.ID}`);
  await admin.text(`registered limit delete ${registered?.ID}`);

  const file = join(cloud.paths.stateDir, 'policy.json');
  writeFileSync(file, '{"rule": "role:admin"}');
  const policy = await admin.json<{ id: string }>(`policy create --type application/json ${file}`);
  expect(await columns(admin, 'policy list', 'ID')).toEqual([policy.id]);
  await admin.text(`policy set --type text/plain ${policy.id}`);
  expect(await admin.json(`policy show ${policy.id}`)).toMatchObject({ type: 'text/plain' });
  await admin.text(`policy delete ${policy.id}`);

  const consumer = await admin.json<{ id: string; secret: string }>('consumer create --description lander');
  expect(consumer.secret).toBeTruthy();
  await admin.text(`consumer set --description orbiter ${consumer.id}`);
  expect(await admin.json(`consumer show ${consumer.id}`)).toMatchObject({ description: 'orbiter' });
  await admin.text(`consumer delete ${consumer.id}`);
});

it('a user changes the own password', async () => {
  await user.text(`user password set --original-password ${PASSWORD} --password another-1969`);
  const again = new OpenstackShell(cloud, { user: 'buzz', password: 'another-1969', project: PROJECT });
  expect(await again.json('token issue')).toHaveProperty('id');
  again.close();
});
