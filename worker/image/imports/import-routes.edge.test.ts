import { SELF } from 'cloudflare:test';
import { describe, expect, it } from 'vitest';
import { call, ORIGIN } from '../../../test/edge-client.ts';
import { mintActor } from '../../../test/edge-tokens.ts';

const BARE = { disk_format: 'raw', container_format: 'bare' };
const json = async <T>(pending: Promise<Response>): Promise<T> => (await pending).json() as Promise<T>;
const status = async (pending: Promise<Response>) => {
  const response = await pending;
  await response.body?.cancel();
  return response.status;
};
const put = (token: string, path: string, headers: Record<string, string> = {}) =>
  SELF.fetch(`${ORIGIN}/image/v2${path}`, {
    method: 'PUT',
    headers: { 'x-auth-token': token, 'content-type': 'application/octet-stream', ...headers },
    body: 'data',
  });

interface Task {
  id: string;
  status: string;
  created_at: string;
}

/** An image of a project, made by a glance-direct import. */
async function imported() {
  const { token, projectId, userId } = await mintActor('member');
  const { id } = await json<{ id: string }>(call('POST', '/image/v2/images', { token, body: BARE }));
  expect(await status(put(token, `/images/${id}/stage`))).toBe(204);
  const body = { method: { name: 'glance-direct' }, all_stores: true };
  const answer = await call('POST', `/image/v2/images/${id}/import`, { token, body });
  expect([answer.status, await answer.text()]).toEqual([202, '']);
  return { token, projectId, userId, id, requestId: answer.headers.get('x-openstack-request-id') };
}

describe('an import', () => {
  it('is seen in its image and its task', async () => {
    const { token, projectId, userId, id, requestId } = await imported();
    expect(await json(call('GET', `/image/v2/images/${id}`, { token }))).toMatchObject({
      ...{ status: 'active', stores: 'aerostat', size: 4, os_glance_failed_import: '' },
      os_glance_importing_to_stores: '',
    });
    const { tasks } = await json<{ tasks: Task[] }>(call('GET', `/image/v2/images/${id}/tasks`, { token }));
    expect(tasks).toEqual([
      {
        id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        type: 'api_image_import',
        status: 'success',
        owner: projectId,
        input: {
          image_id: id,
          import_req: { method: { name: 'glance-direct' }, all_stores: true },
          backend: ['aerostat'],
        },
        result: { image_id: id },
        message: '',
        image_id: id,
        request_id: requestId,
        user_id: userId,
        created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}$/),
        updated_at: tasks[0]?.created_at,
        expires_at: expect.stringMatching(/\.\d{6}$/),
        deleted: false,
        deleted_at: null,
      },
    ]);
  });

  it('is told to its project and to admins, not to whoever sees the image', async () => {
    const { id, projectId } = await imported();
    const [admin, stranger] = [await mintActor('admin'), await mintActor('member')];
    const headers = { 'content-type': 'application/openstack-images-v2.1-json-patch' };
    const body = [{ op: 'replace', path: '/visibility', value: 'public' }];
    expect(await status(call('PATCH', `/image/v2/images/${id}`, { token: admin.token, headers, body }))).toBe(200);
    const seenBy = async ({ token }: { token: string }) =>
      (await json<{ tasks: Task[] }>(call('GET', `/image/v2/images/${id}/tasks`, { token }))).tasks.length;
    expect(await seenBy(admin)).toBe(1);
    expect(await seenBy(await mintActor('reader', projectId))).toBe(1);
    expect(await seenBy(stranger)).toBe(0);
  });

  it('is seen by admins among all tasks', async () => {
    const [admin, { id }] = [await mintActor('admin'), await imported()];
    await imported();
    const get = (path: string) => call('GET', `/image/v2${path}`, { token: admin.token });
    const [task] = (await json<{ tasks: Task[] }>(get(`/images/${id}/tasks`))).tasks;
    const shown = await json<Record<string, unknown>>(get(`/tasks/${task?.id}`));
    expect(shown).toMatchObject({
      ...{ id: task?.id, type: 'api_image_import', status: 'success', image_id: id },
      ...{ self: `/v2/tasks/${task?.id}`, schema: '/v2/schemas/task' },
      created_at: expect.stringMatching(/Z$/),
    });
    const page = await json<{ tasks: Task[]; first: string; next: string }>(get('/tasks?limit=1&status=success'));
    expect(page).toMatchObject({ first: '/v2/tasks?limit=1&status=success', schema: '/v2/schemas/tasks' });
    expect(page.tasks).toHaveLength(1);
    expect(page.tasks[0]).not.toHaveProperty('input');
    const next = await json<{ tasks: Task[] }>(get(page.next.slice('/v2'.length)));
    expect(next.tasks).toHaveLength(1);
    expect(next.tasks[0]?.id).not.toBe(page.tasks[0]?.id);
    const upwards = await json<{ tasks: Task[] }>(get(`/tasks?sort_dir=asc&marker=${page.tasks[0]?.id}`));
    expect(upwards.tasks.map((one) => one.id)).not.toContain(next.tasks[0]?.id);
  });

  it.each([
    ['status=over', /Invalid status value: over/],
    ['type=magic', /Invalid type value: magic/],
    ['sort_dir=up', /Invalid sort direction: up/],
    ['sort_key=input', /Sort key/],
    ['limit=x', /limit param must be an integer/],
    ['marker=x', /Invalid marker format/],
    ['marker=00000000-0000-4000-8000-000000000000', /No task found/],
  ])('is not found by ?%s', async (query, message) => {
    const { token } = await mintActor('admin');
    const response = await call('GET', `/image/v2/tasks?${query}`, { token });
    expect([response.status, await response.text()]).toEqual([400, expect.stringMatching(message)]);
  });
});

describe('stores', () => {
  it('are one', async () => {
    const { token } = await mintActor('admin');
    const store = { id: 'aerostat', description: expect.any(String), default: 'true' };
    expect(await json(call('GET', '/image/v2/info/stores', { token }))).toEqual({ stores: [store] });
    expect(await json(call('GET', '/image/v2/info/stores/detail', { token }))).toEqual({
      stores: [{ ...store, type: 's3', weight: 0, properties: {} }],
    });
  });

  it('can be named in an upload, if they are there', async () => {
    const { token } = await mintActor('member');
    const { id } = await json<{ id: string }>(call('POST', '/image/v2/images', { token, body: BARE }));
    expect(await status(put(token, `/images/${id}/file`, { 'x-image-meta-store': 'elsewhere' }))).toBe(400);
    expect(await status(put(token, `/images/${id}/file`, { 'x-image-meta-store': 'aerostat' }))).toBe(204);
  });

  it('keep what they alone have', async () => {
    const { token } = await mintActor('admin');
    const { id } = await json<{ id: string }>(call('POST', '/image/v2/images', { token, body: BARE }));
    const take = async (store: string) => {
      const response = await call('DELETE', `/image/v2/stores/${store}/${id}`, { token });
      return [response.status, await response.text()];
    };
    expect(await take('elsewhere')).toEqual([409, expect.stringMatching(/elsewhere is not available/)]);
    expect(await take('aerostat')).toEqual([409, expect.stringMatching(/not 'active'|not &#39;active/)]);
    await status(put(token, `/images/${id}/file`));
    expect(await take('aerostat')).toEqual([403, expect.stringMatching(/from the only store containing it/)]);
  });
});

it('a project sees what it has and may have', async () => {
  const { token } = await mintActor('member');
  await call('POST', '/image/v2/images', { token, body: BARE });
  const { usage } = await json<{ usage: Record<string, { usage: number; limit: number }> }>(
    call('GET', '/image/v2/info/usage', { token }),
  );
  expect(Object.keys(usage).sort()).toEqual([
    ...['image_count_total', 'image_count_uploading', 'image_size_total', 'image_stage_total'],
  ]);
  expect(usage.image_count_total).toEqual({ usage: 1, limit: expect.any(Number) });
  expect(usage.image_size_total?.usage).toBe(0);
});
