import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadSecrets } from '../../home/secrets.ts';
import { type Cloud, startCloud } from '../cloud.ts';
import { OpenstackShell } from './openstack-shell.ts';

const HOUR_MS = 3_600_000;
const NOBODY = '00000000-0000-4000-8000-000000000000';

let cloud: Cloud;
let admin: OpenstackShell;
let admin2: OpenstackShell;
/** Commands that ran, and commands that were refused, by their names. */
const ran = new Set<string>();

beforeAll(async () => {
  cloud = await startCloud();
  await cloud.runners({ hypervisor: 'simulated', count: 1, name: 'node' });
  const who = { user: 'admin', password: loadSecrets(cloud.paths.secrets).adminPassword, project: 'admin' };
  admin = new OpenstackShell(cloud, who, '2.90');
  admin2 = new OpenstackShell(cloud, who, '2.90', '2');
  const image = { name: 'base', disk_format: 'raw', container_format: 'bare' };
  const { id } = await cloud.admin.call<{ id: string }>('image', 'POST', '/v2/images', image);
  await cloud.admin.call('image', 'PUT', `/v2/images/${id}/file`, new Uint8Array(4096), {
    'content-type': 'application/octet-stream',
  });
  await admin.text('flavor create --ram 512 --vcpus 2 --disk 4 small');
  await admin.text('flavor create --ram 64 --vcpus 1 --disk 1 tiny');
});
afterAll(async () => {
  admin?.close();
  admin2?.close();
  await cloud?.stop();
});

type Shown = Record<string, unknown>;

function file(name: string, text: string): string {
  const path = join(cloud.paths.stateDir, name);
  writeFileSync(path, text);
  return path;
}

describe('usage', () => {
  /** A server that runs since so many hours, and, where that is said, has ended so many hours ago. */
  async function hasRun(name: string, flavor: string, hours: number, endedHours?: number): Promise<void> {
    await admin.text(`server create --image base --flavor ${flavor} --nic none --wait ${name}`);
    const launched = Date.now() - hours * HOUR_MS;
    if (endedHours !== undefined) await admin.text(`server delete --wait ${name}`);
    const ended = endedHours === undefined ? sql`NULL` : sql`${Date.now() - endedHours * HOUR_MS}`;
    await cloud.edge.db.run(sql`UPDATE servers SET created_at_ms = ${launched}, launched_at_ms = ${launched}, terminated_at_ms = ${ended}
      WHERE name = ${name}`);
  }

  it('is hours of processors, memory and disks, from when a server was there until it was gone or now', async () => {
    const began = Date.now();
    await hasRun('long', 'small', 10);
    await hasRun('short', 'tiny', 5);
    await hasRun('gone', 'small', 8, 2);
    const listed = await admin.json<Shown[]>('usage list');
    const shown = await admin.json<Shown>('usage show');
    const detail = await cloud.admin.call<{ tenant_usage: { server_usages: Shown[] } }>(
      'compute',
      'GET',
      `/os-simple-tenant-usage/${cloud.admin.projectId}?start=${day(-2)}&end=${day(1)}`,
    );
    // By then the two that run have run so much longer.
    const more = (Date.now() - began) / HOUR_MS;
    const bounds: Record<string, [number, number]> = {
      'CPU Hours': [2 * 10 + 5 + 2 * 6, 3 * more],
      'RAM MB-Hours': [512 * 10 + 64 * 5 + 512 * 6, 576 * more],
      'Disk GB-Hours': [4 * 10 + 5 + 4 * 6, 5 * more],
    };
    for (const found of [listed.find((one) => one.Project === cloud.admin.projectId), shown])
      for (const [name, [least, longer]] of Object.entries(bounds)) within(found?.[name], least, longer);
    expect(shown.Servers).toHaveLength(3);
    const hours = Object.fromEntries(detail.tenant_usage.server_usages.map(({ name, hours }) => [name, hours]));
    within(hours.long, 10, more);
    within(hours.short, 5, more);
    within(hours.gone, 6, 0);
    const flavors = detail.tenant_usage.server_usages.map((one) => [one.name, one.flavor, one.vcpus, one.memory_mb]);
    expect(flavors.sort()).toEqual([
      ['gone', 'small', 2, 512],
      ['long', 'small', 2, 512],
      ['short', 'tiny', 1, 64],
    ]);
  });

  /** As text has it: to two digits. */
  function within(value: unknown, least: number, longer: number): void {
    expect(Number(value)).toBeGreaterThanOrEqual(least - 0.01);
    expect(Number(value)).toBeLessThanOrEqual(least + longer + 0.01);
  }
  const day = (later: number) => new Date(Date.now() + later * 24 * HOUR_MS).toISOString().slice(0, 19);
});

/** The words of a command before its arguments, as the client lists it. */
function runs(names: readonly string[], line: string): void {
  const name = names.filter((one) => line === one || line.startsWith(`${one} `)).sort((a, b) => b.length - a.length)[0];
  if (!name) throw new Error(`the client has no command ${line}`);
  ran.add(name);
}

async function commandsOf(shell: OpenstackShell, group: string): Promise<string[]> {
  const groups = await shell.json<{ 'Command Group': string; Commands: string[] }[]>(`command list --group ${group}`);
  return groups.flatMap((one) => one.Commands);
}

describe('metric', () => {
  it('has each command that only reads', async () => {
    const names = await commandsOf(admin, 'openstack.metric');
    const json = <T = Shown[]>(line: string, ...words: (string | readonly string[])[]) => {
      runs(names, line);
      return admin.json<T>(line, ...words);
    };
    const [server] = await json<{ id: string; type: string }[]>('metric resource list --type instance');
    const id = server?.id ?? '';
    expect(await json<Shown>(`metric resource show --type instance ${id}`)).toMatchObject({ id });
    expect(await json(`metric resource history --type instance ${id}`)).not.toHaveLength(0);
    expect(await json('metric resource search --type instance', ['display_name=long'])).toHaveLength(1);
    const metrics = await json<{ id: string; name: string; resource_id: string }[]>('metric list');
    const metric = metrics.find((one) => one.resource_id === id && one.name === 'cpu.time')?.id ?? '';
    expect(await json<Shown>(`metric show ${metric}`)).toMatchObject({ name: 'cpu.time', unit: 'ns' });
    expect(await json(`metric measures show --aggregation rate:sum ${metric}`)).toEqual(expect.any(Array));
    const of = ['--query', 'type=instance', '--groupby', 'project_id'];
    expect(await json('metric measures aggregation -m cpu.time --aggregation rate:sum --granularity 3600', of)).toEqual(
      expect.any(Array),
    );
    expect(await json('metric aggregates', ['(aggregate sum (metric cpu.time rate:sum))', 'type=instance'])).toEqual(
      expect.any(Array),
    );
    expect((await json('metric archive-policy list')).map(({ name }) => name).sort()).toEqual(['counter', 'gauge']);
    expect(await json<Shown>('metric archive-policy show gauge')).toMatchObject({ name: 'gauge' });
    expect(await json('metric archive-policy-rule list')).toEqual([]);
    expect(await json<Shown>('metric capabilities list')).toMatchObject({
      aggregation_methods: expect.arrayContaining(['mean', 'rate:sum']),
    });
    expect((await json('metric resource-type list')).map(({ name }) => name)).toContain('instance');
    expect(await json<Shown>('metric resource-type show instance')).toMatchObject({ name: 'instance' });
    expect(await json<Shown>('metric server version')).toEqual({ version: 'aerostat' });
  });

  it('refuses each command that writes, and says that metrics are only read', async () => {
    const names = await commandsOf(admin, 'openstack.metric');
    const batch = `{"${NOBODY}": [{"timestamp": "2026-01-01T00:00:00", "value": 1}]}`;
    for (const line of [
      'metric archive-policy create -d granularity:1s,points:10 mine',
      'metric archive-policy delete counter',
      'metric archive-policy update -d granularity:1s,points:10 counter',
      'metric archive-policy-rule create -a counter -m x* mine',
      'metric archive-policy-rule delete mine',
      'metric archive-policy-rule show mine',
      'metric create -a counter mine',
      `metric delete ${NOBODY}`,
      `metric measures add -m 2026-01-01T00:00:00@1 ${NOBODY}`,
      `metric measures batch-metrics ${file('metrics.json', batch)}`,
      `metric measures batch-resources-metrics ${file('resources.json', '{}')}`,
      'metric resource batch delete type=instance',
      `metric resource create -t instance ${NOBODY}`,
      `metric resource delete ${NOBODY}`,
      `metric resource update -a a:b ${NOBODY}`,
      'metric resource-type create mine',
      'metric resource-type delete instance',
      'metric resource-type update -a a:string instance',
      'metric status',
    ]) {
      runs(names, line);
      expect([line, await admin.refusal(line)]).toEqual([line, expect.stringContaining('Metrics are only read')]);
    }
  });

  it('has no other commands, but those that the client itself cannot run', async () => {
    const names = await commandsOf(admin, 'openstack.metric');
    // They pickle a lock to begin with, whatever they talk to.
    const broken = names.filter((name) => name.startsWith('metric benchmark '));
    expect(broken).toHaveLength(4);
    expect(names.filter((name) => !ran.has(name)).sort()).toEqual(broken.sort());
  });
});

describe('rating', () => {
  it('has each command that reads, in both versions', async () => {
    const [first, second] = [await commandsOf(admin, 'openstack.rating'), await commandsOf(admin2, 'openstack.rating')];
    const time = '--begin 2026-01-01T00:00:00Z --end 2026-01-02T00:00:00Z';
    for (const line of [
      `rating summary get ${time}`,
      `rating total get ${time}`,
      `rating report tenant list ${time}`,
      `rating dataframes get ${time}`,
      'rating info config get',
      'rating info metric list',
      'rating module list',
      'rating module get billing',
    ]) {
      runs(first, line);
      expect(await admin.json(line)).toBeTruthy();
    }
    runs(first, 'rating info metric get');
    expect(await admin.refusal('rating info metric get nothing')).toContain('nothing');
    for (const line of [`rating summary get ${time}`, 'rating module list', 'rating tasks reprocessing get']) {
      runs(second, line);
      expect(await admin2.json(line)).toBeTruthy();
    }
    const of = `--scope-id ${NOBODY} --reason why --start-reprocess-time 2026-01-01T00:00:00Z --end-reprocess-time 2026-01-02T00:00:00Z`;
    for (const line of [
      `rating dataframes get ${time}`,
      `rating scope state get --scope-id ${NOBODY}`,
      `rating scope state reset --scope-id ${NOBODY} 2026-01-01T00:00:00Z`,
      `rating tasks reprocessing create ${of}`,
    ]) {
      runs(second, line);
      expect([line, await admin2.refusal(line)]).toEqual([line, expect.stringMatching(/HTTP 4\d\d/)]);
    }
  });

  it('refuses rules, collectors, switches and frames that are sent, and says why', async () => {
    const [first, second] = [await commandsOf(admin, 'openstack.rating'), await commandsOf(admin2, 'openstack.rating')];
    const refused = async (shell: OpenstackShell, names: string[], lines: string[], why: string | RegExp) => {
      for (const line of lines) {
        runs(names, line);
        expect([line, await shell.refusal(line)]).toEqual([line, expect.stringMatching(why)]);
      }
    };
    const rules = ['field', 'group', 'mapping', 'service', 'threshold'].flatMap((kind) =>
      ['create', 'delete', 'get', 'list', 'update'].map((verb) => `${kind} ${verb}`),
    );
    const parts: Record<string, string> = {
      'field create': `${NOBODY} x`,
      'field list': NOBODY,
      'group create': 'x',
      'mapping create': `-s ${NOBODY} 1`,
      'mapping list': `-s ${NOBODY}`,
      'service create': 'x',
      'threshold create': `-s ${NOBODY} 1 2`,
      'threshold list': `-s ${NOBODY}`,
      'group list': '',
      'service list': '',
    };
    const hashmap = rules
      .map((rule) => [`rating hashmap ${rule}`, parts[rule] ?? NOBODY] as const)
      .filter(([name]) => first.includes(name) && !name.endsWith('update'))
      .map(([name, args]) => `${name} ${args}`.trim());
    const more = ['group mappings get', 'group thresholds get'].map((name) => `rating hashmap ${name} ${NOBODY}`);
    const scripts = ['create x pass', `delete ${NOBODY}`, `get ${NOBODY}`, 'list'].map(
      (one) => `rating pyscript ${one}`,
    );
    const noRules = 'There are no rules of hashmap or pyscripts';
    await refused(admin, first, [...hashmap, ...more, 'rating hashmap mapping-types list', ...scripts], noRules);
    const mappings = ['create c s', 'delete s', 'get s', 'list'].map((one) => `rating collector-mapping ${one}`);
    const collectors = ['disable c', 'enable c', 'state get c'].map((one) => `rating collector ${one}`);
    await refused(admin, first, [...mappings, ...collectors], 'There are no collectors');
    const modules = ['disable billing', 'enable billing', 'set priority billing 2'].map(
      (one) => `rating module ${one}`,
    );
    await refused(admin, first, modules, 'Module is not configurable');
    await refused(admin2, second, [`rating dataframes add ${file('frames.json', '{"dataframes": []}')}`], /HTTP 409/);
    await refused(admin2, second, [`rating scope patch -id ${cloud.admin.projectId} --active False`], /HTTP 409/);
  });

  it('has no other commands, but those that the client itself cannot run', async () => {
    const names = [...(await commandsOf(admin, 'openstack.rating')), ...(await commandsOf(admin2, 'openstack.rating'))];
    // They read what the rule was first, and fall over any answer but the rule.
    const broken = ['rating hashmap mapping update', 'rating hashmap threshold update', 'rating pyscript update'];
    expect([...new Set(names.filter((name) => !ran.has(name)))].sort()).toEqual(broken);
  });
});
