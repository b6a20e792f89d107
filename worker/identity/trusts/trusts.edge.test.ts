import { describe, expect, test } from 'vitest';
import { ORIGIN } from '../../../test/edge-client.ts';
import {
  type Answer,
  exchange,
  grant,
  keystone,
  login,
  must,
  newProject,
  newUser,
  roleId,
  type TestUser,
  tokenOf,
  validate,
} from '../../../test/edge-identity.ts';

interface Scene {
  trustor: TestUser;
  trustee: TestUser;
  projectId: string;
  token: string;
}

async function newScene(): Promise<Scene> {
  const [trustor, trustee, project] = [await newUser(), await newUser(), await newProject()];
  await grant(trustor.id, 'manager', `projects/${project.id}`);
  return { trustor, trustee, projectId: project.id, token: await tokenOf(trustor, { project: { id: project.id } }) };
}

const create = ({ trustor, trustee, projectId, token }: Scene, body: object = {}): Promise<Answer> =>
  keystone('POST', '/OS-TRUST/trusts', {
    token,
    body: {
      trust: {
        trustor_user_id: trustor.id,
        trustee_user_id: trustee.id,
        project_id: projectId,
        impersonation: false,
        roles: [{ name: 'member' }],
        ...body,
      },
    },
  });
async function made(scene: Scene, body: object = {}) {
  const answer = await create(scene, body);
  if (answer.status !== 201) throw new Error(JSON.stringify(answer.body));
  return answer.body.trust;
}
const use = (user: TestUser, id: string) => login(user, { 'OS-TRUST:trust': { id } }, '?nocatalog');
const textOf = (answer: Answer) => answer.headers.get('x-subject-token') ?? '';
const status = async (method: string, path: string, token: string) => (await keystone(method, path, { token })).status;

describe('a trust', () => {
  test('is made by its trustor, and seen by both', async () => {
    const scene = await newScene();
    const { trustor, trustee, projectId, token } = scene;
    const trust = await made(scene, { expires_at: '2999-01-01T00:00:00Z' });
    const at = `/OS-TRUST/trusts/${trust.id}`;
    const member = await roleId('member');
    const { roles, roles_links, ...summary } = trust;
    expect(summary).toEqual({
      id: trust.id,
      trustor_user_id: trustor.id,
      trustee_user_id: trustee.id,
      project_id: projectId,
      impersonation: false,
      expires_at: '2999-01-01T00:00:00.000000Z',
      remaining_uses: null,
      redelegated_trust_id: null,
      redelegation_count: 0,
      deleted_at: null,
      links: { self: `${ORIGIN}/identity/v3${at}` },
    });
    expect(roles).toMatchObject([{ id: member, name: 'member' }]);
    expect(roles_links.self).toBe(`${ORIGIN}/identity/v3${at}/roles`);
    const trusteeToken = await tokenOf(trustee, 'unscoped');
    expect((await must('GET', at, { token: trusteeToken })).body.trust).toEqual(trust);
    const by = async (who: string, as: string) =>
      (await must('GET', `/OS-TRUST/trusts?${who}`, { token: as })).body.trusts;
    expect(await by(`trustor_user_id=${trustor.id}`, token)).toEqual([summary]);
    expect(await by(`trustee_user_id=${trustee.id}`, trusteeToken)).toEqual([summary]);
    expect(await status('GET', `/OS-TRUST/trusts?trustor_user_id=${trustor.id}`, trusteeToken)).toBe(403);
    expect(await status('GET', '/OS-TRUST/trusts', token)).toBe(403);
    expect((await must('GET', '/OS-TRUST/trusts')).body.trusts).toContainEqual(summary);
    expect((await must('GET', `${at}/roles`, { token })).body.roles).toEqual(roles);
    expect((await must('GET', `${at}/roles/${member}`, { token })).body.role).toEqual(roles[0]);
    expect(await status('HEAD', `${at}/roles/none`, token)).toBe(404);
    expect(await status('GET', at, await tokenOf(await newUser(), 'unscoped'))).toBe(403);
    expect(await status('DELETE', at, trusteeToken)).toBe(403);
    expect(await status('DELETE', at, token)).toBe(204);
    expect(await status('GET', at, token)).toBe(404);
  });

  test.each([
    [{ roles: [] }, 403],
    [{ roles: [{ name: 'admin' }] }, 404],
    [{ roles: [{ id: 'none' }] }, 404],
    [{ trustee_user_id: 'nobody' }, 404],
    [{ project_id: 'nowhere' }, 404],
    [{ trustor_user_id: 'another' }, 403],
    [{ expires_at: 'bad.123Z' }, 400],
    [{ expires_at: '2001-01-01T00:00:00Z' }, 400],
    [{ remaining_uses: 0 }, 400],
    [{ impersonation: 'yes' }, 400],
    [{ allow_redelegation: true, remaining_uses: 3 }, 400],
    [{ allow_redelegation: true, redelegation_count: 9 }, 403],
  ])('with %j is refused', async (body, expected) => {
    expect((await create(await newScene(), body)).status).toBe(expected);
  });
});

describe('a token by a trust', () => {
  test('has the roles of the trust, for the trustee alone', async () => {
    const scene = await newScene();
    const { trustor, trustee, projectId } = scene;
    const { id } = await made(scene);
    const answer = await use(trustee, id);
    expect(answer.body.token).toMatchObject({
      user: { id: trustee.id },
      project: { id: projectId },
      'OS-TRUST:trust': {
        id,
        impersonation: false,
        trustor_user: { id: trustor.id },
        trustee_user: { id: trustee.id },
      },
    });
    expect(answer.body.token.roles.map((role: { name: string }) => role.name).sort()).toEqual(['member', 'reader']);
    expect((await validate(textOf(answer))).body.token).toEqual(answer.body.token);
    expect((await use(trustor, id)).status).toBe(403);
    expect((await use(await newUser(), id)).status).toBe(403);
    expect((await use(trustee, 'none')).status).toBe(404);
    expect((await login(trustee, { 'OS-TRUST:trust': {} })).status).toBe(400);
    const byToken = await exchange(await tokenOf(trustee, 'unscoped'), { 'OS-TRUST:trust': { id } });
    expect(byToken.status).toBe(201);
  });

  test('is the trustor, where that is meant', async () => {
    const scene = await newScene();
    const { id } = await made(scene, { impersonation: true });
    const answer = await use(scene.trustee, id);
    expect(answer.body.token.user.id).toBe(scene.trustor.id);
    const token = textOf(answer);
    for (const scope of [undefined, { project: { id: scene.projectId } }]) {
      expect((await exchange(token, scope)).status).toBe(403);
    }
    const credential = { application_credential: { name: 'x' } };
    const path = `/users/${scene.trustor.id}/application_credentials`;
    expect((await keystone('POST', path, { token, body: credential })).status).toBe(403);
    expect(await status('GET', path, token)).toBe(403);
  });

  test('comes only so often, where that is counted', async () => {
    const scene = await newScene();
    const { id } = await made(scene, { remaining_uses: 1 });
    expect((await use(scene.trustee, id)).status).toBe(201);
    expect((await use(scene.trustee, id)).status).toBe(404);
  });

  test.each([
    ['the trust', (_: Scene, id: string) => must('DELETE', `/OS-TRUST/trusts/${id}`)],
    ['the trustor', ({ trustor }: Scene) => must('DELETE', `/users/${trustor.id}`)],
    [
      'the trustee',
      ({ trustee }: Scene) => must('PATCH', `/users/${trustee.id}`, { body: { user: { enabled: false } } }),
    ],
    [
      "the trustor's role",
      async ({ trustor, projectId }: Scene) =>
        must('DELETE', `/projects/${projectId}/users/${trustor.id}/roles/${await roleId('manager')}`),
    ],
    ['the project', ({ projectId }: Scene) => must('DELETE', `/projects/${projectId}`)],
  ])('ends with %s', async (_, end) => {
    const scene = await newScene();
    const { id } = await made(scene);
    const token = textOf(await use(scene.trustee, id));
    expect((await validate(token)).status).toBe(200);
    await end(scene, id);
    expect((await validate(token)).status).toBe(404);
    expect((await use(scene.trustee, id)).status).toBeGreaterThanOrEqual(401);
  });

  test('can pass the trust on, as often as it says and no more than it has', async () => {
    const scene = await newScene();
    const first = await made(scene, { allow_redelegation: true, redelegation_count: 1, impersonation: true });
    expect(first.redelegation_count).toBe(1);
    const third = await newUser();
    const passing: Scene = { ...scene, trustee: third, token: textOf(await use(scene.trustee, first.id)) };
    expect((await create(passing, { roles: [{ name: 'manager' }] })).status).toBe(403);
    const second = await made(passing, { impersonation: true });
    expect(second).toMatchObject({ redelegated_trust_id: first.id, redelegation_count: 0 });
    const token = textOf(await use(third, second.id));
    const further: Scene = { ...scene, trustee: await newUser(), token };
    expect((await create(further)).status).toBe(403);
    await must('DELETE', `/OS-TRUST/trusts/${first.id}`);
    expect((await validate(token)).status).toBe(404);
    expect((await use(third, second.id)).status).toBe(404);
  });

  test('is no good any more when somebody through whom it came cannot log in', async () => {
    const scene = await newScene();
    const first = await made(scene, { allow_redelegation: true, redelegation_count: 1 });
    const third = await newUser();
    const passing: Scene = { ...scene, trustee: third, token: textOf(await use(scene.trustee, first.id)) };
    const second = await made(passing, { trustor_user_id: scene.trustee.id });
    expect((await use(third, second.id)).status).toBe(201);
    await must('PATCH', `/users/${scene.trustee.id}`, { body: { user: { enabled: false } } });
    expect((await use(third, second.id)).status).toBe(403);
  });
});
