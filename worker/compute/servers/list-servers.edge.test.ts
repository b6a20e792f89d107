import { describe, expect, it } from 'vitest';
import { ComputeCloud, type Server } from '../../../test/compute-cloud.ts';
import { mintActor } from '../../../test/edge-tokens.ts';

interface Listed {
  servers: Server[];
  servers_links?: { rel: string; href: string }[];
}

/** A region with servers `a`, `b` and `c` of one project, made in that order; `b` runs and `c` is in ERROR. */
async function threeServers() {
  const cloud = await ComputeCloud.open();
  await cloud.addRunner({ vcpusAllocatable: 2, zone: 'z' });
  const other = await cloud.addFlavor();
  const a = await cloud.create({ name: 'web-a', metadata: { k: 'v' } });
  const b = await cloud.createActive({ name: 'web-b', flavorRef: other });
  const c = await cloud.create({ name: 'db-1.c' });
  return { cloud, a, b, c, other };
}
const list = (cloud: ComputeCloud, query = '', of: { as?: typeof cloud.user; version?: string } = {}) =>
  cloud.answer<Listed>('GET', `/servers${query}`, of);
const ids = async (...from: Parameters<typeof list>) => (await list(...from)).servers.map(({ id }) => id);
const fails = async (cloud: ComputeCloud, query: string, of: { as?: typeof cloud.user; version?: string } = {}) => {
  const response = await cloud.call('GET', `/servers${query}`, of);
  const [fault] = Object.values((await response.json()) as Record<string, { message: string }>);
  return [response.status, fault?.message];
};

describe('a list of servers', () => {
  it('is the newest first, brief or in detail', async () => {
    const { cloud, a, b, c } = await threeServers();
    const brief = await list(cloud);
    expect(brief.servers.map(({ id }) => id)).toEqual([c, b, a]);
    expect(Object.keys(brief.servers[0] ?? {}).sort()).toEqual(['id', 'links', 'name']);
    expect(brief).not.toHaveProperty('servers_links');
    const { servers } = await cloud.answer<Listed>('GET', '/servers/detail', { version: '2.90' });
    expect(servers.map(({ id, status }) => [id, status])).toEqual([
      [c, 'ERROR'],
      [b, 'ACTIVE'],
      [a, 'BUILD'],
    ]);
    const { server_groups: _groups, ...shown } = await cloud.show(b);
    expect(servers[1]).toEqual(shown);
  });

  it('has only what is the project’s, and all of it for an admin who asks', async () => {
    const { cloud, a, b, c } = await threeServers();
    expect(await ids(cloud, '', { as: await mintActor('member') })).toEqual([]);
    expect(await ids(cloud, '', { as: cloud.admin })).toEqual([]);
    expect(await ids(cloud, '?all_tenants=1', { as: cloud.admin })).toEqual([c, b, a]);
    expect(await ids(cloud, `?all_tenants&project_id=${cloud.admin.projectId}`, { as: cloud.admin })).toEqual([]);
    expect(await ids(cloud, `?all_tenants&tenant_id=${cloud.user.projectId}`, { as: cloud.admin })).toEqual([c, b, a]);
    expect((await fails(cloud, '?all_tenants=1'))[0]).toBe(403);
    expect((await fails(cloud, '?all_tenants=maybe', { as: cloud.admin }))[0]).toBe(400);
    expect(await ids(cloud, `?project_id=${cloud.admin.projectId}`)).toEqual([c, b, a]);
  });

  it('goes on from page to page until there is no more', async () => {
    const { cloud, a, b, c } = await threeServers();
    const base = `http://edge.test/r/${cloud.region}/compute/v2.1`;
    const first = await list(cloud, '?limit=2');
    expect(first.servers.map(({ id }) => id)).toEqual([c, b]);
    expect(first.servers_links).toEqual([{ rel: 'next', href: `${base}/servers?limit=2&marker=${b}` }]);
    const second = await list(cloud, `?limit=2&marker=${b}`);
    expect(second.servers.map(({ id }) => id)).toEqual([a]);
    expect(second).not.toHaveProperty('servers_links');
    expect(await ids(cloud, `?marker=${a}`)).toEqual([]);
    expect(await ids(cloud, '?limit=0')).toEqual([]);
    expect(await ids(cloud, '?limit=99999')).toHaveLength(3);
    const sorted = await list(cloud, '?limit=1&sort_key=display_name&sort_dir=asc&name=web');
    expect(sorted.servers_links?.[0]?.href).toBe(
      `${base}/servers?limit=1&marker=${a}&name=web&sort_dir=asc&sort_key=display_name`,
    );
  });

  it.each([
    ['?sort_key=display_name&sort_dir=asc', 'cab'],
    ['?sort_key=display_name', 'bac'],
    ['?sort_dir=asc', 'abc'],
    ['?sort_key=vm_state&sort_dir=asc&sort_key=display_name&sort_dir=desc', 'bac'],
    ['?sort_key=memory_mb', 'cba'],
    ['?name=[abc]&sort_dir=asc', 'abc'],
  ])('is sorted by %s, and pages so too', async (query, order) => {
    const servers = await threeServers();
    const { cloud } = servers;
    const wanted = [...order].map((letter) => servers[letter as 'a' | 'b' | 'c']);
    expect(await ids(cloud, query)).toEqual(wanted);
    const paged: string[] = [];
    for (let marker = ''; ; ) {
      const [id] = await ids(cloud, `${query}&limit=1${marker}`);
      if (!id) break;
      paged.push(id);
      marker = `&marker=${id}`;
    }
    expect(paged).toEqual(wanted);
  });

  it('may be filtered', async () => {
    const { cloud, a, b, c, other } = await threeServers();
    const cases: [string, string[]][] = [
      ['name=web', [b, a]],
      ['name=WEB', [b, a]],
      ['name=^web-.$', [b, a]],
      ['name=b$', [b]],
      ['name=1.c', [c]],
      ['name=100%25', []],
      ['name=^web-[ab]$', [b, a]],
      ['name=^(web-a|db-[0-9]%2B.c)$', [c, a]],
      ['name=[0-9]&limit=5', [c]],
      ['name=[x-z]', []],
      ['ip=[0-9]%2B', []],
      ['status=ACTIVE', [b]],
      ['status=active&status=error', [c, b]],
      ['status=REBOOT', []],
      [`flavor=${other}`, [b]],
      [`flavor=nope`, []],
      [`image=${cloud.imageId}`, [c, b, a]],
      [`image=${crypto.randomUUID()}`, []],
      ['changes-since=2000-01-01T00:00:00Z', [c, b, a]],
      ['changes-since=2999-01-01T00:00:00%2B01:00', []],
      ['deleted=true', [c, b, a]],
      ['host=whatever', [c, b, a]],
    ];
    for (const [query, wanted] of cases) expect([query, await ids(cloud, `?${query}`)]).toEqual([query, wanted]);
    const { name } = await cloud.runner((await cloud.row(a)).runnerId ?? '');
    const forAdmin: [string, string[]][] = [
      [`host=${name}`, [b, a]],
      ['vm_state=active', [b]],
      ['task_state=spawning', [a]],
      ['power_state=1', [b]],
      ['availability_zone=z', [b, a]],
      [`uuid=${c}`, [c]],
      ['locked_by=owner', []],
      ['config_drive=true', []],
      [`created_at=${new Date().getUTCFullYear()}`, [c, b, a]],
      [`user_id=${cloud.user.userId}`, [c, b, a]],
    ];
    for (const [query, wanted] of forAdmin) {
      expect([query, await ids(cloud, `?all_tenants=1&${query}`, { as: cloud.admin })]).toEqual([query, wanted]);
    }
  });

  it('may be filtered by more, the newer the version', async () => {
    const { cloud, a, b, c } = await threeServers();
    expect(await ids(cloud, '?vm_state=active', { version: '2.82' })).toEqual([c, b, a]);
    expect(await ids(cloud, '?vm_state=active', { version: '2.83' })).toEqual([b]);
    expect(await ids(cloud, '?hostname=web-b', { version: '2.90' })).toEqual([b]);
    await cloud.answer('PUT', `/servers/${b}/tags`, { body: { tags: ['x', 'y'] }, version: '2.26' });
    const tagged = (query: string) => ids(cloud, `?${query}`, { version: '2.26' });
    expect(await tagged('tags=x,y')).toEqual([b]);
    expect(await tagged('tags=x,z')).toEqual([]);
    expect(await tagged('tags-any=x,z')).toEqual([b]);
    expect(await tagged('not-tags=x,y')).toEqual([c, a]);
    expect(await tagged('not-tags-any=x,z')).toEqual([c, a]);
    await cloud.act(b, { lock: null });
    expect(await ids(cloud, '?locked=true', { version: '2.73' })).toEqual([b]);
    expect(await ids(cloud, '?changes-before=2000-01-01', { version: '2.66' })).toEqual([]);
  });

  it('refuses what makes no sense', async () => {
    const { cloud } = await threeServers();
    const nobody = crypto.randomUUID();
    expect(await fails(cloud, '?limit=-1')).toEqual([
      400,
      expect.stringContaining('Invalid input for query parameters limit'),
    ]);
    expect((await fails(cloud, '?limit=x'))[0]).toBe(400);
    expect(await fails(cloud, '?name=(')).toEqual([
      400,
      expect.stringContaining("It is not a 'regex' that can be used here"),
    ]);
    expect((await fails(cloud, '?name='))[0]).toBe(400);
    expect((await fails(cloud, `?name=${'(a)'.repeat(100)}`))[0]).toBe(400);
    expect((await fails(cloud, `?name=[a]&marker=${nobody}`))[0]).toBe(400);
    expect(await fails(cloud, `?marker=${nobody}`)).toEqual([400, `marker [${nobody}] not found`]);
    expect((await fails(cloud, '?sort_key=nonsense'))[0]).toBe(400);
    expect((await fails(cloud, '?sort_key=constructor'))[0]).toBe(400);
    expect((await fails(cloud, '?sort_dir=up'))[0]).toBe(400);
    expect((await fails(cloud, '?sort_key=memory_mb', { version: '2.75' }))[0]).toBe(400);
    expect(await fails(cloud, '?sort_key=host')).toEqual([403, 'Only administrators can sort servers by host']);
    expect((await fails(cloud, '?changes-since=yesterday'))[0]).toBe(400);
    expect(await fails(cloud, '?changes-since=2020-01-02&changes-before=2020-01-01', { version: '2.66' })).toEqual([
      400,
      'The value of changes-since must be less than or equal to changes-before.',
    ]);
    expect(await ids(cloud, '?status=nonsense')).toEqual([]);
    expect(await fails(cloud, '?status=nonsense', { version: '2.38' })).toEqual([400, 'Invalid status value']);
    expect(await ids(cloud, '?nonsense=1')).toHaveLength(3);
    expect(await fails(cloud, '?nonsense=1', { version: '2.75' })).toEqual([
      400,
      "Additional properties are not allowed ('nonsense' was unexpected)",
    ]);
    expect(await fails(cloud, '?metadata=x', { as: cloud.admin })).toEqual([400, 'Invalid filter field: metadata.']);
  });

  it('takes a filter for text, whatever stands in it', async () => {
    const { cloud } = await threeServers();
    for (const text of ["' OR 1=1 --", '%', '_', '!', '"; DROP TABLE servers; --', '\\\\']) {
      expect([text, await ids(cloud, `?name=${encodeURIComponent(`x${text}`)}`)]).toEqual([text, []]);
    }
  });
});
