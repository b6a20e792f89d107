import { describe, expect, it } from 'vitest';
import { call } from '../../test/edge-client.ts';
import { type Actor, mintActor } from '../../test/edge-tokens.ts';

/** An image of one project that is offered to another. */
async function shared() {
  const owner = await mintActor('member');
  const guest = await mintActor('member');
  const made = await call('POST', '/image/v2/images', { token: owner.token, body: { name: 'shared' } });
  const { id } = (await made.json()) as { id: string };
  const members = `/image/v2/images/${id}/members`;
  const offered = await call('POST', members, { token: owner.token, body: { member: guest.projectId } });
  return { owner, guest, id, members, offered };
}
const status = async (pending: Promise<Response>) => {
  const response = await pending;
  await response.body?.cancel();
  return response.status;
};
const answer = ({ token }: Actor, path: string, text: string) => call('PUT', path, { token, body: { status: text } });

describe('sharing an image', () => {
  it('offers it, and shows it in lists once it is accepted', async () => {
    const { owner, guest, id, members, offered } = await shared();
    expect([offered.status, await offered.json()]).toEqual([
      200,
      {
        image_id: id,
        member_id: guest.projectId,
        status: 'pending',
        created_at: expect.stringMatching(/Z$/),
        updated_at: expect.stringMatching(/Z$/),
        schema: '/v2/schemas/member',
      },
    ]);
    const listed = async (query = '') => {
      const path = `/image/v2/images?owner=${owner.projectId}${query}`;
      const page = (await (await call('GET', path, { token: guest.token })).json()) as { images: { id: string }[] };
      return page.images.map((image) => image.id);
    };
    expect(await status(call('GET', `/image/v2/images/${id}`, { token: guest.token }))).toBe(200);
    expect(await listed()).toEqual([]);
    expect(await listed('&member_status=pending')).toEqual([id]);
    expect(await listed('&member_status=all&visibility=shared')).toEqual([id]);
    const accepted = await answer(guest, `${members}/${guest.projectId}`, 'accepted');
    expect([accepted.status, await accepted.json()]).toEqual([200, expect.objectContaining({ status: 'accepted' })]);
    expect(await listed()).toEqual([id]);
    expect(await status(answer(guest, `${members}/${guest.projectId}`, 'rejected'))).toBe(200);
    expect(await listed()).toEqual([]);
  });

  it('is undone by the owner', async () => {
    const { owner, guest, id, members } = await shared();
    const remove = ({ token }: Actor) => status(call('DELETE', `${members}/${guest.projectId}`, { token }));
    expect(await remove(guest)).toBe(403);
    expect(await remove(owner)).toBe(204);
    expect(await remove(owner)).toBe(404);
    expect(await status(call('GET', `/image/v2/images/${id}`, { token: guest.token }))).toBe(404);
  });

  it('shows all members to the owner, and each member itself', async () => {
    const { owner, guest, members } = await shared();
    const other = await mintActor('member');
    await status(call('POST', members, { token: owner.token, body: { member: other.projectId } }));
    const seen = async ({ token }: Actor) => {
      const body = (await (await call('GET', members, { token })).json()) as { members: { member_id: string }[] };
      return body.members.map((member) => member.member_id).sort();
    };
    expect(await seen(owner)).toEqual([guest.projectId, other.projectId].sort());
    expect(await seen(guest)).toEqual([guest.projectId]);
    expect(await status(call('GET', `${members}/${guest.projectId}`, { token: guest.token }))).toBe(200);
    expect(await status(call('GET', `${members}/${other.projectId}`, { token: guest.token }))).toBe(404);
  });

  it('refuses what cannot be', async () => {
    const { owner, guest, id, members } = await shared();
    const { token } = owner;
    expect(await status(call('POST', members, { token, body: { member: guest.projectId } }))).toBe(409);
    expect(await status(call('POST', members, { token, body: { member: '' } }))).toBe(400);
    expect(await status(call('POST', members, { token, body: {} }))).toBe(400);
    expect(await status(call('POST', members, { token: guest.token, body: { member: 'p' } }))).toBe(403);
    expect(await status(answer(owner, `${members}/${guest.projectId}`, 'accepted'))).toBe(403);
    expect(await status(answer(guest, `${members}/${guest.projectId}`, 'maybe'))).toBe(400);
    const headers = { 'content-type': 'application/openstack-images-v2.1-json-patch' };
    const body = [{ op: 'replace', path: '/visibility', value: 'private' }];
    expect(await status(call('PATCH', `/image/v2/images/${id}`, { token, headers, body }))).toBe(200);
    expect(await status(call('GET', members, { token }))).toBe(403);
    expect(await status(call('GET', `${members}/${guest.projectId}`, { token }))).toBe(404);
    expect(await status(call('GET', `/image/v2/images/${id}`, { token: guest.token }))).toBe(404);
  });
});
