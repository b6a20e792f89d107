import { beforeAll, expect, test } from 'vitest';
import {
  freshName,
  grant,
  keystone,
  must,
  newDomain,
  newUser,
  tokenOf,
  validate,
} from '../../../test/edge-identity.ts';
import { EdgeProvider, registered } from '../../../test/edge-provider.ts';

const RULES = [{ local: [{ user: { id: '{0}', name: 'shown' } }], remote: [{ type: 'OIDC-sub' }] }];
let provider: EdgeProvider;
let cloud: Awaited<ReturnType<typeof registered>>;
beforeAll(async () => {
  provider = await new EdgeProvider().start();
  cloud = await registered(provider, { rules: RULES });
});
const as = (unique_id: string, idp_id = cloud.id, protocol_id = 'openid') => [
  { idp_id, protocols: [{ protocol_id, unique_id }] },
];
const userOf = async (sub: string) => {
  const answer = await cloud.logIn(await provider.token({ sub }));
  return { ...answer.body.token?.user, text: answer.headers.get('x-subject-token') ?? '' };
};

test('a user who is here already logs in by who that is elsewhere, with the own name and id', async () => {
  const sub = freshName('ann');
  const federated = as(sub);
  const local = await newUser('default', { federated });
  const shown = (await must('GET', `/users/${local.id}`)).body.user;
  expect(shown.federated).toEqual(federated);
  expect(shown.name).toBe(local.name);
  const user = await userOf(sub);
  expect(user).toMatchObject({ id: local.id, name: local.name, domain: { id: 'default' } });
  expect(user['OS-FEDERATION'].identity_provider.id).toBe(cloud.id);
  expect((await must('GET', `/users/${local.id}`)).body.user.name).toBe(local.name);
  await tokenOf(local, 'unscoped');

  const list = async (query: string) =>
    (await must('GET', `/users?${query}`)).body.users.map(({ id }: { id: string }) => id);
  expect(await list(`idp_id=${cloud.id}&protocol_id=openid&unique_id=${sub}`)).toEqual([local.id]);
  expect(await list(`unique_id=${sub}&protocol_id=other`)).toEqual([]);

  const moved = (await must('PATCH', `/users/${local.id}`, { body: { user: { federated: [] } } })).body.user;
  expect(moved).not.toHaveProperty('federated');
  expect((await validate(user.text)).status).toBe(404);
  expect((await userOf(sub)).id).not.toBe(local.id);
});

test('a user whom only a provider knows shows how, and goes with it; one who is here stays', async () => {
  const own = await registered(provider, { rules: RULES });
  const [sub, other] = [freshName('ann'), freshName('bob')];
  const local = await newUser('default', { federated: as(sub, own.id) });
  const answer = await own.logIn(await provider.token({ sub: other }));
  const { id } = answer.body.token.user;
  expect((await must('GET', `/users/${id}`)).body.user.federated).toEqual(as(other, own.id));
  await must('DELETE', own.path);
  expect((await keystone('GET', `/users/${id}`)).status).toBe(404);
  expect((await must('GET', `/users/${local.id}`)).body.user).not.toHaveProperty('federated');
});

test('what is not there is refused, what is taken conflicts, and nothing is written', async () => {
  const name = freshName('u');
  const create = (federated: unknown) =>
    keystone('POST', '/users', { body: { user: { name, domain_id: 'default', federated } } });
  const none = await create(as('x', 'none'));
  expect([none.status, none.body.error.message]).toEqual([400, 'Could not find Identity Provider: none.']);
  const protocol = await create(as('x', cloud.id, 'none'));
  expect([protocol.status, protocol.body.error.message]).toEqual([
    400,
    `Could not find federated protocol none for Identity Provider: ${cloud.id}.`,
  ]);
  const sub = freshName('ann');
  const local = await newUser('default', { federated: as(sub) });
  expect((await create(as(sub))).status).toBe(409);
  for (const wrong of [
    'x',
    [{}],
    [{ idp_id: cloud.id }],
    [{ idp_id: cloud.id, protocols: [{ protocol_id: 'openid' }] }],
  ])
    expect((await create(wrong)).status).toBe(400);
  expect((await must('GET', `/users?name=${name}`)).body.users).toEqual([]);
  const second = await newUser('default');
  const taken = await keystone('PATCH', `/users/${second.id}`, { body: { user: { federated: as(sub) } } });
  expect(taken.status).toBe(409);
  expect((await userOf(sub)).id).toBe(local.id);
});

test("a domain's manager names only the identity providers of that domain", async () => {
  const domain = await newDomain();
  const manager = await newUser(domain.id);
  await grant(manager.id, 'manager', `domains/${domain.id}`);
  const token = await tokenOf(manager, { domain: { id: domain.id } });
  const own = await registered(provider, { rules: RULES, idp: { domain_id: domain.id } });
  const create = (federated: object) =>
    keystone('POST', '/users', { token, body: { user: { name: freshName('u'), domain_id: domain.id, federated } } });
  expect((await create(as(freshName('ann')))).status).toBe(403);
  expect((await create(as(freshName('ann'), own.id))).status).toBe(201);
});
