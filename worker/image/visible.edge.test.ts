import { describe, expect, it } from 'vitest';
import { call } from '../../test/edge-client.ts';
import { type Actor, mintActor } from '../../test/edge-tokens.ts';

const VISIBILITIES = ['private', 'shared', 'community', 'public'] as const;
type Visibility = (typeof VISIBILITIES)[number];

/** A project, and a maker of images of it. */
async function open() {
  const [member, admin] = [await mintActor('member'), await mintActor('admin')];
  const image = async (visibility: Visibility): Promise<string> => {
    const body = { disk_format: 'raw', container_format: 'bare', visibility, owner: member.projectId };
    const made = await call('POST', '/image/v2/images', { token: admin.token, body });
    return ((await made.json()) as { id: string }).id;
  };
  return { member, admin, image };
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

it('a token without a project sees no image, and makes none', async () => {
  const { image } = await open();
  const { token } = await mintActor('member', null);
  const status = async (method: string, path: string, body?: object) => {
    const response = await call(method, `/image/v2/images${path}`, { token, ...(body ? { body } : {}) });
    await response.body?.cancel();
    return response.status;
  };
  expect([await status('GET', ''), await status('POST', '', {})]).toEqual([403, 400]);
  for (const visibility of VISIBILITIES) {
    const id = await image(visibility);
    for (const [method, path] of [
      ['GET', ''],
      ['GET', '/file'],
      ['PUT', '/tags/t'],
      ['DELETE', ''],
    ] as const) {
      expect([method, path, await status(method, `/${id}${path}`)]).toEqual([method, path, 404]);
    }
  }
});

it('a list holds what an actor may see, community images when asked for', async () => {
  const { member, admin, image } = await open();
  const stranger = await mintActor('member');
  const ids = new Map<string, Visibility>();
  for (const visibility of VISIBILITIES) ids.set(await image(visibility), visibility);
  const seen = async (actor: Actor, query = '') => {
    const path = `/image/v2/images?owner=${member.projectId}${query}`;
    const { images } = (await (await call('GET', path, { token: actor.token })).json()) as {
      images: { id: string }[];
    };
    return images.map(({ id }) => ids.get(id)).sort();
  };
  expect(await seen(member)).toEqual(['community', 'private', 'public', 'shared']);
  expect(await seen(stranger)).toEqual(['public']);
  expect(await seen(stranger, '&visibility=community')).toEqual(['community']);
  expect(await seen(stranger, '&visibility=all')).toEqual(['community', 'public']);
  expect(await seen(stranger, '&visibility=private')).toEqual([]);
  expect(await seen(admin)).toEqual(['private', 'public', 'shared']);
  expect(await seen(admin, '&visibility=all')).toEqual(['community', 'private', 'public', 'shared']);
});
