import { describe, expect, it } from 'vitest';
import { call, ORIGIN } from '../../test/edge-client.ts';
import { net, newMember } from '../../test/edge-network.ts';
import { EXTENSIONS } from './extensions.ts';

describe('discovery', () => {
  it.each(['/networking', '/networking/'])('%s lists the versions without a token', async (path) => {
    const response = await call('GET', path);
    expect(response.status).toBe(200);
    const self = { rel: 'self', href: `${ORIGIN}/networking/v2.0/` };
    expect(await response.json()).toEqual({ versions: [{ id: 'v2.0', status: 'CURRENT', links: [self] }] });
  });

  it('names the region in its links where one was asked', async () => {
    const body = (await (await call('GET', '/r/RegionTwo/networking/')).json()) as {
      versions: { links: { href: string }[] }[];
    };
    expect(body.versions[0]?.links[0]?.href).toBe(`${ORIGIN}/r/RegionTwo/networking/v2.0/`);
    const member = { ...(await newMember()), region: 'RegionTwo' };
    await net(member, 'POST', '/networks', { networks: [{}, {}] });
    const page = await net(member, 'GET', `/networks?limit=1&project_id=${member.projectId}`);
    expect(page.body.networks_links[0].href).toMatch(`${ORIGIN}/r/RegionTwo/networking/v2.0/networks?limit=1&`);
  });

  it.each(['', '/'])('v2.0%s lists the resources', async (slash) => {
    const { status, body } = await net(await newMember(), 'GET', slash);
    expect(status).toBe(200);
    expect(body.resources).toContainEqual({
      name: 'security-group-rule',
      collection: 'security-group-rules',
      links: [{ rel: 'self', href: `${ORIGIN}/networking/v2.0/security-group-rules` }],
    });
  });

  it('lists the extensions, and each by its alias', async () => {
    const member = await newMember();
    const { body } = await net(member, 'GET', '/extensions');
    expect(body.extensions.map((one: { alias: string }) => one.alias)).toEqual(EXTENSIONS.map(({ alias }) => alias));
    expect((await net(member, 'GET', '/extensions/security-group')).body.extension).toMatchObject({
      alias: 'security-group',
      links: [],
    });
    const none = await net(member, 'GET', '/extensions/taas');
    expect([none.status, none.body.NeutronError.type]).toEqual([404, 'ExtensionNotFound']);
  });

  it('knows nothing else', async () => {
    const member = await newMember();
    for (const path of ['/metering', '/nonsense', '/networks/a/b']) {
      const { status, body } = await net(member, 'GET', path);
      expect([path, status]).toEqual([path, 404]);
      expect(body).toEqual({
        NeutronError: { type: 'HTTPNotFound', message: 'The resource could not be found.', detail: '' },
      });
    }
  });
});
