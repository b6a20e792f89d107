import { eq } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import { operations } from '../../../db/schema/fleet.ts';
import { ComputeCloud } from '../../../test/compute-cloud.ts';
import { actorContextOf } from '../../../test/edge-context.ts';
import type { Fleet } from '../../fleet/fleet.ts';
import { consoleOutput } from '../actions/console-output.ts';

async function active() {
  const cloud = await ComputeCloud.open();
  await cloud.addRunner();
  return { cloud, id: await cloud.createActive({ metadata: { a: '1' } }) };
}
const fault = async (response: Response) => {
  const [one] = Object.values((await response.json()) as Record<string, { code: number; message: string }>);
  return [response.status, one?.message];
};

describe('the password of a guest', () => {
  it('is none that was told, and can be cleared', async () => {
    const cloud = await ComputeCloud.open();
    await cloud.addRunner();
    const path = `/servers/${await cloud.create()}/os-server-password`;
    expect(await cloud.answer('GET', path)).toEqual({ password: '' });
    await cloud.answer('DELETE', path, { status: 204 });
    const none = `/servers/${crypto.randomUUID()}/os-server-password`;
    expect((await cloud.call('GET', none)).status).toBe(404);
    expect((await cloud.call('DELETE', none)).status).toBe(404);
  });

  it('can be cleared of a server that found no host', async () => {
    const cloud = await ComputeCloud.open();
    const path = `/servers/${await cloud.create()}/os-server-password`;
    await cloud.answer('DELETE', path, { status: 204 });
    expect(await cloud.answer('GET', path)).toEqual({ password: '' });
  });

  it('is what its guest told last, once it was cleared', async () => {
    const { cloud, id } = await active();
    const path = `/servers/${id}/os-server-password`;
    const tell = (password: { id: string; text: string }) =>
      cloud.observe(id, { state: 'running', detail: { status: 'running', password } });
    await tell({ id: 'first', text: 'c2VhbGVk' });
    expect(await cloud.answer('GET', path)).toEqual({ password: 'c2VhbGVk' });
    await cloud.answer('DELETE', path, { status: 204 });
    await tell({ id: 'first', text: 'c2VhbGVk' });
    expect(await cloud.answer('GET', path)).toEqual({ password: '' });
    const asked = await cloud.ctx.db.select().from(operations).where(eq(operations.targetId, id));
    expect(asked.map(({ kind }) => kind)).toEqual(['clear-password']);
    await tell({ id: 'second', text: 'bmV3' });
    expect(await cloud.answer('GET', path)).toEqual({ password: 'bmV3' });
  });
});

describe('an update', () => {
  it('changes what a server is called, for its guest too', async () => {
    const { cloud, id } = await active();
    const body = {
      server: { name: 'new', description: 'about', accessIPv4: '192.0.2.1', 'OS-DCF:diskConfig': 'AUTO' },
    };
    const { server } = await cloud.answer<{ server: object }>('PUT', `/servers/${id}`, { body, version: '2.19' });
    expect(server).toMatchObject({
      name: 'new',
      description: 'about',
      accessIPv4: '192.0.2.1',
      'OS-DCF:diskConfig': 'AUTO',
    });
    expect(server).not.toHaveProperty(['OS-EXT-STS:vm_state']);
    expect((await cloud.wish(id))?.spec?.metadata).toMatchObject({ name: 'new', hostname: 's', meta: { a: '1' } });
    await cloud.answer('PUT', `/servers/${id}`, { body: { server: { hostname: 'other' } }, version: '2.90' });
    expect((await cloud.wish(id))?.spec?.metadata).toMatchObject({ name: 'new', hostname: 'other' });
    expect((await cloud.show(id)).status).toBe('ACTIVE');
  });

  it.each([
    [{ name: '' }, 400],
    [{ name: 'x'.repeat(256) }, 400],
    [{ accessIPv6: '::zz' }, 400],
    [{ status: 'ACTIVE' }, 400],
    [{}, 200],
  ])('of %j is answered with %i', async (server, status) => {
    const { cloud, id } = await active();
    expect((await cloud.call('PUT', `/servers/${id}`, { body: { server } })).status).toBe(status);
  });
});

describe('metadata', () => {
  it('is read, added to, replaced and taken away, and the guest reads it so', async () => {
    const { cloud, id } = await active();
    const path = `/servers/${id}/metadata`;
    const told = async () => (await cloud.wish(id))?.spec?.metadata.meta;
    expect(await cloud.answer('GET', path)).toEqual({ metadata: { a: '1' } });
    expect(await cloud.answer('POST', path, { body: { metadata: { b: '2' } } })).toEqual({
      metadata: { a: '1', b: '2' },
    });
    expect(await told()).toEqual({ a: '1', b: '2' });
    expect(await cloud.answer('PUT', `${path}/b`, { body: { meta: { b: '3' } } })).toEqual({ meta: { b: '3' } });
    expect(await cloud.answer('GET', `${path}/b`)).toEqual({ meta: { b: '3' } });
    expect(await cloud.answer('PUT', path, { body: { metadata: { 'c d.e:f': '' } } })).toEqual({
      metadata: { 'c d.e:f': '' },
    });
    await cloud.answer('DELETE', `${path}/c%20d.e:f`, { status: 204 });
    expect(await cloud.answer('GET', path)).toEqual({ metadata: {} });
    expect(await told()).toEqual({});
    expect((await cloud.wish(id))?.spec?.power).toBe('on');
  });

  it('is refused where it is none, or too much', async () => {
    const { cloud, id } = await active();
    const path = `/servers/${id}/metadata`;
    expect(await fault(await cloud.call('GET', `${path}/none`))).toEqual([404, 'Metadata item was not found']);
    expect(await fault(await cloud.call('DELETE', `${path}/none`))).toEqual([404, 'Metadata item was not found']);
    expect(await fault(await cloud.call('DELETE', `${path}/no"ne`))).toEqual([404, 'Metadata item was not found']);
    expect(await fault(await cloud.call('PUT', `${path}/x`, { body: { meta: { y: '1' } } }))).toEqual([
      400,
      'Request body and URI mismatch',
    ]);
    expect((await cloud.call('POST', path, { body: { metadata: { ['x'.repeat(256)]: '1' } } })).status).toBe(400);
    expect((await cloud.call('POST', path, { body: { metadata: { x: 'x'.repeat(256) } } })).status).toBe(400);
    expect((await cloud.call('POST', path, { body: { metadata: { x: null } } })).status).toBe(400);
    const many = Object.fromEntries(Array.from({ length: 128 }, (_, n) => [`k${n}`, 'v']));
    expect(await fault(await cloud.call('POST', path, { body: { metadata: many } }))).toEqual([
      403,
      'Maximum number of metadata items exceeds 128',
    ]);
    expect(await cloud.answer('GET', path)).toEqual({ metadata: { a: '1' } });
  });
});

describe('tags', () => {
  it('are put, read and taken away', async () => {
    const { cloud, id } = await active();
    const of = { version: '2.26' };
    const path = `/servers/${id}/tags`;
    const added = await cloud.call('PUT', `${path}/one`, of);
    expect([added.status, added.headers.get('location')]).toEqual([
      201,
      `http://edge.test/r/${cloud.region}/compute/v2.1${path}/one`,
    ]);
    await cloud.answer('PUT', `${path}/one`, { ...of, status: 204 });
    expect(await cloud.answer('PUT', path, { ...of, body: { tags: ['two', 'three', 'two'] } })).toEqual({
      tags: ['two', 'three'],
    });
    await cloud.answer('GET', `${path}/two`, { ...of, status: 204 });
    expect(await fault(await cloud.call('GET', `${path}/one`, of))).toEqual([404, `Server ${id} has no tag 'one'`]);
    await cloud.answer('DELETE', `${path}/two`, { ...of, status: 204 });
    expect((await cloud.call('DELETE', `${path}/two`, of)).status).toBe(404);
    expect(await cloud.answer('GET', path, of)).toEqual({ tags: ['three'] });
    await cloud.answer('DELETE', path, { ...of, status: 204 });
    expect(await cloud.answer('GET', path, of)).toEqual({ tags: [] });
  });

  it('are there from 2.26, at most fifty, and for servers that are built', async () => {
    const { cloud, id } = await active();
    const path = `/servers/${id}/tags`;
    expect((await cloud.call('GET', path, { version: '2.25' })).status).toBe(404);
    const tags = Array.from({ length: 50 }, (_, n) => `t${n}`);
    await cloud.answer('PUT', path, { body: { tags }, version: '2.26' });
    expect(await fault(await cloud.call('PUT', `${path}/more`, { version: '2.26' }))).toEqual([
      400,
      'The number of tags exceeded the per-server limit 50',
    ]);
    await cloud.answer('PUT', `${path}/t7`, { version: '2.26', status: 204 });
    expect((await cloud.call('PUT', `${path}/a,b`, { version: '2.26' })).status).toBe(400);
    const building = await cloud.create();
    expect(await fault(await cloud.call('PUT', `/servers/${building}/tags/x`, { version: '2.26' }))).toEqual([
      409,
      `Cannot 'update tag' instance ${building} while it is in vm_state building`,
    ]);
  });
});

describe('instance actions', () => {
  interface Shown {
    instanceAction: { events?: Record<string, unknown>[] };
  }
  it('tell more, the newer the version and the more the asker may know', async () => {
    const { cloud, id } = await active();
    const path = `/servers/${id}/os-instance-actions`;
    const { instanceActions } = await cloud.answer<{ instanceActions: { request_id: string }[] }>('GET', path);
    expect(instanceActions).toEqual([
      {
        action: 'create',
        instance_uuid: id,
        request_id: expect.stringMatching(/^req-/),
        user_id: cloud.user.userId,
        project_id: cloud.user.projectId,
        start_time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}$/),
        message: null,
      },
    ]);
    const one = `${path}/${instanceActions[0]?.request_id}`;
    const events = async (version: string, as = cloud.user) =>
      (await cloud.answer<Shown>('GET', one, { version, as })).instanceAction.events?.map((event) =>
        Object.keys(event).sort(),
      );
    const common = ['event', 'finish_time', 'result', 'start_time'];
    expect(await events('2.50')).toBeUndefined();
    expect(await events('2.50', cloud.admin)).toEqual([[...common, 'traceback']]);
    expect(await events('2.51')).toEqual([common]);
    expect(await events('2.62')).toEqual([[...common, 'hostId'].sort()]);
    expect(await events('2.84', cloud.admin)).toEqual([[...common, 'details', 'host', 'hostId', 'traceback'].sort()]);
    expect((await cloud.call('GET', `${path}/req-none`)).status).toBe(404);
  });

  it('outlive the server from 2.21 on', async () => {
    const cloud = await ComputeCloud.open();
    const id = await cloud.create();
    await cloud.answer('DELETE', `/servers/${id}`, { status: 204 });
    const path = `/servers/${id}/os-instance-actions`;
    expect((await cloud.call('GET', path, { version: '2.20' })).status).toBe(404);
    expect(
      (await cloud.answer<{ instanceActions: [] }>('GET', path, { version: '2.21' })).instanceActions,
    ).toHaveLength(2);
  });

  it('come in pages from 2.58 on', async () => {
    const { cloud, id } = await active();
    await cloud.act(id, { lock: null });
    await cloud.act(id, { unlock: null });
    const path = `/servers/${id}/os-instance-actions`;
    type Page = { instanceActions: { action: string; request_id: string }[]; links?: { href: string }[] };
    const first = await cloud.answer<Page>('GET', `${path}?limit=2`, { version: '2.58' });
    expect(first.instanceActions).toHaveLength(2);
    const marker = first.instanceActions[1]?.request_id;
    expect(first.links?.[0]?.href).toContain(`${path}?limit=2&marker=${marker}`);
    const rest = await cloud.answer<Page>('GET', `${path}?limit=2&marker=${marker}`, { version: '2.58' });
    const seen = [...first.instanceActions, ...rest.instanceActions].map(({ action }) => action).sort();
    expect(seen).toEqual(['create', 'lock', 'unlock']);
    expect((await cloud.call('GET', `${path}?marker=req-none`, { version: '2.58' })).status).toBe(400);
    const none = await cloud.answer<Page>('GET', `${path}?changes-since=2999-01-01`, { version: '2.58' });
    expect(none.instanceActions).toEqual([]);
  });
});

describe('the console', () => {
  const asking = async (fleet: Partial<Fleet>) => {
    const { cloud, id } = await active();
    const ctx = actorContextOf(cloud.user.projectId);
    const poke = () => {};
    return consoleOutput(
      { ...ctx, region: cloud.region, fleet: { poke, query: fleet.query ?? ctx.fleet.query } },
      id,
      10,
    );
  };

  it('is what the host says, without control characters', async () => {
    const asked: unknown[] = [];
    const output = await asking({
      query: async (_runnerId, query) => {
        asked.push(query);
        return { ok: true, result: { output: `login:\u001b[1m\r\n\tok\u0000` } };
      },
    });
    expect(output).toBe('login:[1m\n\tok');
    expect(asked).toEqual([{ kind: 'console', targetId: expect.any(String), args: { length_lines: 10 } }]);
  });

  it('is 503 while the host does not answer', async () => {
    const answer = { ok: false as const, fault: { code: 504, message: 'no answer in time' } };
    await expect(asking({ query: async () => answer })).rejects.toMatchObject({
      status: 503,
      headers: { 'retry-after': '5' },
    });
  });

  it('is 409 for a server that has no host, and 400 for lengths that are none', async () => {
    const cloud = await ComputeCloud.open();
    const id = await cloud.create();
    const ask = (length: unknown) =>
      cloud.call('POST', `/servers/${id}/action`, { body: { 'os-getConsoleOutput': { length } } });
    expect((await ask(null)).status).toBe(409);
    expect((await ask('5')).status).toBe(409);
    expect((await ask(-1)).status).toBe(409);
    expect((await ask(-2)).status).toBe(400);
    expect((await ask('many')).status).toBe(400);
  });
});

describe('an action', () => {
  it('must be one that is offered', async () => {
    const { cloud, id } = await active();
    const act = async (body: unknown) => fault(await cloud.call('POST', `/servers/${id}/action`, { body }));
    expect(await act({ nonsense: null })).toEqual([400, 'There is no such action: nonsense']);
    expect(await act({ toString: null })).toEqual([400, 'There is no such action: toString']);
    expect(await act({})).toEqual([400, 'Malformed request body']);
    expect(await act({ 'os-stop': null, 'os-start': null })).toEqual([400, 'Malformed request body']);
    expect(await act([])).toEqual([400, 'Malformed request body']);
    expect((await act({ reboot: { type: 'WARM' } }))[0]).toBe(400);
    expect((await act({ reboot: {} }))[0]).toBe(400);
  });

  it('of Nova that cannot be is refused for what is true of the server', async () => {
    const { cloud, id } = await active();
    const act = async (server: string, body: unknown) =>
      fault(await cloud.call('POST', `/servers/${server}/action`, { body }));
    const nobody = crypto.randomUUID();
    expect(await act(nobody, { restore: null })).toEqual([404, `Instance ${nobody} could not be found.`]);
    expect(await act(id, { restore: null })).toEqual([
      409,
      `Cannot 'restore' instance ${id} while it is in vm_state active`,
    ]);
    expect((await act(id, { resetNetwork: null }))[0]).toBe(410);
    await cloud.act(id, { forceDelete: null });
    expect(await cloud.show(id)).toMatchObject({ 'OS-EXT-STS:task_state': 'deleting' });
  });
});
