import { describe, expect, it } from 'vitest';
import { net, newMember, newNetwork } from '../../../test/edge-network.ts';
import { type Actor, mintActor } from '../../../test/edge-tokens.ts';

/** One of each kind of resource that has tags, by its path. */
async function oneOfEach(actor: Actor): Promise<[path: string, name: string][]> {
  const { networkId, subnetId } = await newNetwork(actor);
  const port = await net(actor, 'POST', '/ports', { port: { network_id: networkId } });
  const group = await net(actor, 'POST', '/security-groups', { security_group: { name: 'g' } });
  return [
    [`/networks/${networkId}`, 'network'],
    [`/subnets/${subnetId}`, 'subnet'],
    [`/ports/${port.body.port.id}`, 'port'],
    [`/security-groups/${group.body.security_group.id}`, 'security_group'],
  ];
}

describe('tags', () => {
  it('are set, added, shown and taken away, on every kind of resource', async () => {
    const actor = await newMember();
    for (const [path, name] of await oneOfEach(actor)) {
      const before = (await net(actor, 'GET', path)).body[name].revision_number;
      const set = await net(actor, 'PUT', `${path}/tags`, { tags: ['red', 'blue'] });
      expect([set.status, set.body]).toEqual([200, { tags: ['red', 'blue'] }]);
      expect((await net(actor, 'PUT', `${path}/tags/deep%20green`)).status).toBe(201);
      expect((await net(actor, 'PUT', `${path}/tags/red`)).status).toBe(201);
      expect((await net(actor, 'GET', `${path}/tags`)).body).toEqual({ tags: ['red', 'blue', 'deep green'] });
      expect((await net(actor, 'GET', `${path}/tags/red`)).status).toBe(204);
      expect((await net(actor, 'DELETE', `${path}/tags/red`)).status).toBe(204);
      const none = await net(actor, 'DELETE', `${path}/tags/red`);
      expect([none.status, none.body.NeutronError.type]).toEqual([404, 'TagNotFound']);
      expect((await net(actor, 'GET', `${path}/tags/red`)).status).toBe(404);
      const shown = (await net(actor, 'GET', path)).body[name];
      expect(shown).toMatchObject({ tags: ['blue', 'deep green'], revision_number: before + 4 });
      expect((await net(actor, 'DELETE', `${path}/tags`)).status).toBe(204);
      expect((await net(actor, 'GET', `${path}/tags`)).body).toEqual({ tags: [] });
    }
  });

  it('filter lists', async () => {
    const actor = await newMember();
    const made = await net(actor, 'POST', '/networks', { networks: ['a', 'b', 'c'].map((name) => ({ name })) });
    const [a, b] = made.body.networks;
    await net(actor, 'PUT', `/networks/${a.id}/tags`, { tags: ['x', 'y'] });
    await net(actor, 'PUT', `/networks/${b.id}/tags`, { tags: ['x'] });
    const found = async (query: string) => {
      const { body } = await net(
        actor,
        'GET',
        `/networks?project_id=${actor.projectId}&sort_key=name&sort_dir=asc&${query}`,
      );
      return body.networks.map((one: { name: string }) => one.name).join('');
    };
    expect(await found('tags=x,y')).toBe('a');
    expect(await found('tags-any=x,y')).toBe('ab');
    expect(await found('not-tags=x,y')).toBe('bc');
    expect(await found('not-tags-any=x,y')).toBe('c');
  });

  it('come with a new port', async () => {
    const actor = await newMember();
    const { networkId } = await newNetwork(actor);
    const { body } = await net(actor, 'POST', '/ports', { port: { network_id: networkId, tags: ['x'] } });
    expect(body.port.tags).toEqual(['x']);
  });

  it('are kept when many are added at once, up to their limit', async () => {
    const actor = await newMember();
    const [[path]] = (await oneOfEach(actor)) as [[string, string]];
    const adds = await Promise.all(
      Array.from({ length: 8 }, (_, index) => net(actor, 'PUT', `${path}/tags/t${index}`)),
    );
    expect(adds.map(({ status }) => status)).toEqual(Array(8).fill(201));
    expect((await net(actor, 'GET', `${path}/tags`)).body.tags).toHaveLength(8);
    const many = Array.from({ length: 50 }, (_, index) => `m${index}`);
    expect((await net(actor, 'PUT', `${path}/tags`, { tags: many })).status).toBe(200);
    expect((await net(actor, 'PUT', `${path}/tags/more`)).status).toBe(400);
  });

  it.each([[{}], [{ tags: 'x' }], [{ tags: ['x', 'x'] }], [{ tags: [1] }], [{ tags: ['x'.repeat(256)] }], [[]]])(
    '%j is refused',
    async (body) => {
      const actor = await newMember();
      const { body: made } = await net(actor, 'POST', '/networks', { network: {} });
      expect((await net(actor, 'PUT', `/networks/${made.network.id}/tags`, body)).status).toBe(400);
    },
  );

  it('are read by readers, changed by members, and unknown to others', async () => {
    const actor = await newMember();
    const reader = await mintActor('reader', actor.projectId);
    const stranger = await newMember();
    for (const [path] of await oneOfEach(actor)) {
      expect((await net(reader, 'GET', `${path}/tags`)).status).toBe(200);
      expect((await net(reader, 'PUT', `${path}/tags/x`)).status).toBe(403);
      expect((await net(reader, 'DELETE', `${path}/tags`)).status).toBe(403);
      expect((await net(stranger, 'GET', `${path}/tags`)).status).toBe(404);
      expect((await net(stranger, 'PUT', `${path}/tags`, { tags: [] })).status).toBe(404);
      expect((await net(null, 'GET', `${path}/tags`)).status).toBe(401);
    }
  });
});
