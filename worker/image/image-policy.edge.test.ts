import { SELF } from 'cloudflare:test';
import { describe, expect, it } from 'vitest';
import { call, ORIGIN } from '../../test/edge-client.ts';
import { type Actor, mintActor } from '../../test/edge-tokens.ts';

const BARE = { disk_format: 'raw', container_format: 'bare' };
const OCTETS = { 'content-type': 'application/octet-stream' };
const PATCH = { 'content-type': 'application/openstack-images-v2.1-json-patch' };
const VISIBILITIES = ['private', 'shared', 'community', 'public'] as const;
type Visibility = (typeof VISIBILITIES)[number];

const status = async (pending: Promise<Response>) => {
  const response = await pending;
  await response.body?.cancel();
  return response.status;
};
const put = (token: string, id: string) =>
  SELF.fetch(`${ORIGIN}/image/v2/images/${id}/file`, {
    method: 'PUT',
    headers: { 'x-auth-token': token, ...OCTETS },
    body: 'data',
  });

/** Actors of every kind around one project, and a fresh image of it. */
async function cast() {
  const member = await mintActor('member');
  const actors = {
    member,
    reader: await mintActor('reader', member.projectId),
    admin: await mintActor('admin'),
    stranger: await mintActor('member'),
    strangeReader: await mintActor('reader'),
    unscoped: await mintActor('member', null),
  };
  const image = async (visibility: Visibility, withData = true): Promise<string> => {
    const body = { ...BARE, visibility, owner: member.projectId };
    const made = await call('POST', '/image/v2/images', { token: actors.admin.token, body });
    const { id } = (await made.json()) as { id: string };
    if (withData) await status(put(member.token, id));
    return id;
  };
  return { actors, image };
}

describe('without a token', () => {
  it.each([
    ['GET', '/image/v2/images'],
    ['POST', '/image/v2/images'],
    ['GET', '/image/v2/images/x'],
    ['PUT', '/image/v2/images/x/file'],
    ['GET', '/image/v2/schemas/image'],
    ['GET', '/image/v2/nothing'],
  ])('%s %s is 401', async (method, path) => {
    const response = await call(method, path);
    await response.body?.cancel();
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toBe('Keystone uri="http://edge.test/identity"');
  });
});

describe('who may', () => {
  /** What each actor is answered; `image`: of which visibility, and whether with data. */
  const table: {
    what: string;
    image: [Visibility, boolean];
    act: (token: string, id: string) => Promise<Response>;
    expected: Partial<Record<keyof Awaited<ReturnType<typeof cast>>['actors'], number>>;
  }[] = [
    {
      what: 'list images',
      image: ['private', false],
      act: (token) => call('GET', '/image/v2/images', { token }),
      expected: { member: 200, reader: 200, admin: 200, stranger: 200, strangeReader: 200, unscoped: 403 },
    },
    {
      what: 'create an image',
      image: ['private', false],
      act: (token) => call('POST', '/image/v2/images', { token, body: {} }),
      expected: { member: 201, reader: 403, admin: 201, stranger: 201, strangeReader: 403, unscoped: 400 },
    },
    {
      what: 'create a public image',
      image: ['private', false],
      act: (token) => call('POST', '/image/v2/images', { token, body: { visibility: 'public' } }),
      expected: { member: 403, reader: 403, admin: 201 },
    },
    {
      what: 'see a private image',
      image: ['private', true],
      act: (token, id) => call('GET', `/image/v2/images/${id}`, { token }),
      expected: { member: 200, reader: 200, admin: 200, stranger: 404, strangeReader: 404, unscoped: 404 },
    },
    {
      what: 'see a shared image of another project, not being a member',
      image: ['shared', true],
      act: (token, id) => call('GET', `/image/v2/images/${id}`, { token }),
      expected: { member: 200, reader: 200, admin: 200, stranger: 404 },
    },
    {
      what: 'see a community image',
      image: ['community', true],
      act: (token, id) => call('GET', `/image/v2/images/${id}`, { token }),
      expected: { stranger: 200, strangeReader: 200, unscoped: 404 },
    },
    {
      what: 'download a private image',
      image: ['private', true],
      act: (token, id) => call('GET', `/image/v2/images/${id}/file`, { token }),
      expected: { member: 200, reader: 403, admin: 200, stranger: 404 },
    },
    {
      what: 'download a public image',
      image: ['public', true],
      act: (token, id) => call('GET', `/image/v2/images/${id}/file`, { token }),
      expected: { member: 200, stranger: 200, strangeReader: 403, unscoped: 404 },
    },
    {
      what: 'upload to a public image',
      image: ['public', false],
      act: (token, id) => put(token, id),
      expected: { reader: 403, stranger: 403, unscoped: 404 },
    },
    {
      what: 'change a public image',
      image: ['public', true],
      act: (token, id) =>
        call('PATCH', `/image/v2/images/${id}`, {
          token,
          headers: PATCH,
          body: [{ op: 'replace', path: '/name', value: 'mine' }],
        }),
      expected: { member: 200, reader: 403, admin: 200, stranger: 403, unscoped: 404 },
    },
    {
      what: 'make an image public',
      image: ['private', true],
      act: (token, id) =>
        call('PATCH', `/image/v2/images/${id}`, {
          token,
          headers: PATCH,
          body: [{ op: 'replace', path: '/visibility', value: 'public' }],
        }),
      expected: { reader: 403, member: 403, stranger: 404, admin: 200 },
    },
    {
      what: 'make an image community',
      image: ['private', true],
      act: (token, id) =>
        call('PATCH', `/image/v2/images/${id}`, {
          token,
          headers: PATCH,
          body: [{ op: 'replace', path: '/visibility', value: 'community' }],
        }),
      expected: { reader: 403, member: 200 },
    },
    {
      what: 'give an image away',
      image: ['private', true],
      act: (token, id) =>
        call('PATCH', `/image/v2/images/${id}`, {
          token,
          headers: PATCH,
          body: [{ op: 'add', path: '/owner', value: 'somebody' }],
        }),
      expected: { reader: 403, member: 403, admin: 200 },
    },
    {
      what: 'tag a public image',
      image: ['public', true],
      act: (token, id) => call('PUT', `/image/v2/images/${id}/tags/t`, { token }),
      expected: { member: 204, reader: 403, admin: 204, stranger: 403 },
    },
    {
      what: 'deactivate a public image',
      image: ['public', true],
      act: (token, id) => call('POST', `/image/v2/images/${id}/actions/deactivate`, { token }),
      expected: { reader: 403, stranger: 403, member: 204 },
    },
    {
      what: 'share an image',
      image: ['shared', true],
      act: (token, id) => call('POST', `/image/v2/images/${id}/members`, { token, body: { member: token.slice(-9) } }),
      expected: { member: 200, reader: 403, admin: 200, stranger: 404 },
    },
    {
      what: 'delete a public image',
      image: ['public', true],
      act: (token, id) => call('DELETE', `/image/v2/images/${id}`, { token }),
      expected: { reader: 403, stranger: 403, unscoped: 404, member: 204 },
    },
    {
      what: 'delete a private image',
      image: ['private', true],
      act: (token, id) => call('DELETE', `/image/v2/images/${id}`, { token }),
      expected: { reader: 403, stranger: 404, admin: 204 },
    },
  ];

  it.each(table)('$what', async ({ image: [visibility, withData], act, expected }) => {
    const { actors, image } = await cast();
    const id = await image(visibility, withData);
    const answers: Record<string, number> = {};
    for (const name of Object.keys(expected) as (keyof typeof actors)[]) {
      answers[name] = await status(act(actors[name].token, id));
    }
    expect(answers).toEqual(expected);
  });

  it('create an image for another project: admins', async () => {
    const { actors } = await cast();
    const body = { owner: actors.member.projectId };
    expect(await status(call('POST', '/image/v2/images', { token: actors.stranger.token, body }))).toBe(403);
    expect(await status(call('POST', '/image/v2/images', { token: actors.admin.token, body }))).toBe(201);
  });
});

describe('lists', () => {
  it('hold what an actor may see, community images when asked for', async () => {
    const { actors, image } = await cast();
    const ids = new Map<string, Visibility>();
    for (const visibility of VISIBILITIES) ids.set(await image(visibility, false), visibility);
    const seen = async (actor: Actor, query = '') => {
      const path = `/image/v2/images?owner=${actors.member.projectId}${query}`;
      const { images } = (await (await call('GET', path, { token: actor.token })).json()) as {
        images: { id: string }[];
      };
      return images.map(({ id }) => ids.get(id)).sort();
    };
    expect(await seen(actors.member)).toEqual(['community', 'private', 'public', 'shared']);
    expect(await seen(actors.stranger)).toEqual(['public']);
    expect(await seen(actors.stranger, '&visibility=community')).toEqual(['community']);
    expect(await seen(actors.stranger, '&visibility=all')).toEqual(['community', 'public']);
    expect(await seen(actors.stranger, '&visibility=private')).toEqual([]);
    expect(await seen(actors.admin)).toEqual(['private', 'public', 'shared']);
    expect(await seen(actors.admin, '&visibility=all')).toEqual(['community', 'private', 'public', 'shared']);
  });
});
