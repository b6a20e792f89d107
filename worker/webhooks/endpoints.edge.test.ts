import { and, eq } from 'drizzle-orm';
import { beforeAll, describe, expect, it } from 'vitest';
import { audit } from '../../db/schema/audit.ts';
import { webhookSecrets } from '../../db/schema/webhooks.ts';
import { EVENT_TYPE_NAMES, EVENT_TYPES } from '../../shared/event-types.ts';
import { ComputeCloud } from '../../test/compute-cloud.ts';
import { call } from '../../test/edge-client.ts';
import { type Actor, mintActor } from '../../test/edge-tokens.ts';
import { receiver } from '../../test/edge-webhooks.ts';
import { PROJECT_ENDPOINTS_MAX, SECRETS_MAX } from './limits.ts';

let cloud: ComputeCloud;
beforeAll(async () => {
  cloud = await ComputeCloud.open();
});

async function ask(method: string, path: string, body?: unknown, as: Actor = cloud.user) {
  const url = `/r/${cloud.region}/aerostat/v1/webhooks${path}`;
  const response = await call(method, url, { token: as.token, ...(body === undefined ? {} : { body }) });
  const text = await response.text();
  return { status: response.status, body: (text === '' ? null : JSON.parse(text)) as ReturnType<typeof JSON.parse> };
}
const create = (of: Record<string, unknown> = {}, as?: Actor) =>
  ask('POST', '/endpoints', { endpoint: { url: receiver().url, ...of } }, as);

describe('an endpoint', () => {
  it('is made with a secret that is shown once and kept sealed', async () => {
    const made = await create({ description: 'd', events: ['server.*', 'network.created', 'server.*'] });
    expect(made.status).toBe(201);
    const { secret, ...endpoint } = made.body.endpoint;
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]+=*$/);
    expect(Buffer.from(secret.slice(6), 'base64')).toHaveLength(32);
    expect(endpoint).toMatchObject({
      ...{ description: 'd', events: ['network.created', 'server.*'], enabled: true, scope: 'project' },
      project_id: cloud.user.projectId,
      secrets: [{ type: 'hmac', public_key: null, expires_at: null }],
    });
    const shown = await ask('GET', `/endpoints/${endpoint.id}`);
    expect(shown.body.endpoint).toEqual(endpoint);
    expect(JSON.stringify(shown.body)).not.toContain('whsec_');
    const rows = await cloud.ctx.db.select().from(webhookSecrets).where(eq(webhookSecrets.endpointId, endpoint.id));
    expect(JSON.stringify(rows)).not.toContain(secret.slice(6, 30));
    const notes = await cloud.ctx.db.select().from(audit).where(eq(audit.targetId, endpoint.id));
    expect(notes).toMatchObject([{ action: 'webhooks:endpoints:create', actorId: cloud.user.userId }]);
    expect(JSON.stringify(notes)).not.toContain('whsec_');
  });

  it('that is asked for twice is made once', async () => {
    const { url } = receiver();
    const made = await Promise.all([1, 2, 3].map(() => create({ url })));
    expect(made.map((each) => each.status).sort()).toEqual([201, 409, 409]);
    const first = made.find((each) => each.status === 201)?.body.endpoint.id;
    expect(made.find((each) => each.status === 409)?.body.error.message).toContain(first);
    expect((await create({ url }, cloud.admin)).status).toBe(201);
  });

  it.each([
    [{ url: 'ftp://example.org/' }, /must be https/],
    [{ url: 'http://example.org:8080:1/' }, /no URL/],
    [{ url: 'https://me:secret@example.org/' }, /user or password/],
    [{ url: 'http://10.0.0.1/' }, /must be https/],
    [{ url: 'https://10.0.0.1/' }, /not public/],
    [{ url: 'https://169.254.169.254/' }, /not public/],
    [{ url: `https://example.org/${'x'.repeat(2048)}` }, /url/],
    [{ events: [] }, /at least one/],
    [{ events: ['server.exploded'] }, /No event is of this type/],
    [{ events: ["' OR 1"] }, /No event is of this type/],
    [{ events: ['runner.*'] }, /A project is not told of runner/],
    [{ secret_type: 'rsa' }, /secret_type/],
    [{ colour: 'red' }, /colour/],
  ])('is refused: %j', async (of, message) => {
    const { status, body } = await create(of);
    expect([status, body.error?.message]).toEqual([400, expect.stringMatching(message)]);
  });

  it('of the operator is an admin’s alone', async () => {
    expect((await create({ scope: 'region' })).status).toBe(403);
    const made = await create({ scope: 'region', events: ['runner.*'] }, cloud.admin);
    expect(made.body.endpoint).toMatchObject({ scope: 'region', project_id: null, events: ['runner.*'] });
    expect((await ask('GET', `/endpoints/${made.body.endpoint.id}`)).status).toBe(404);
    const mine = await ask('GET', '/endpoints');
    expect(mine.body.endpoints.every((each: { project_id: string }) => each.project_id === cloud.user.projectId)).toBe(
      true,
    );
    const all = await ask('GET', '/endpoints', undefined, cloud.admin);
    expect(all.body.endpoints.map((each: { id: string }) => each.id)).toContain(made.body.endpoint.id);
  });

  it('is changed and deleted', async () => {
    const { endpoint } = (await create()).body;
    const { url } = receiver();
    const changed = await ask('PATCH', `/endpoints/${endpoint.id}`, {
      endpoint: { url, events: ['*'], enabled: false },
    });
    expect(changed.body.endpoint).toMatchObject({ url, events: ['*'], enabled: false, disabled_reason: 'asked' });
    expect((await ask('POST', `/endpoints/${endpoint.id}/test`)).status).toBe(409);
    const again = await ask('PATCH', `/endpoints/${endpoint.id}`, { endpoint: { enabled: true } });
    expect(again.body.endpoint).toMatchObject({ enabled: true, disabled_reason: null, url });
    const wrong = await ask('PATCH', `/endpoints/${endpoint.id}`, { endpoint: { url: 'https://[::1]/' } });
    expect(wrong.status).toBe(400);
    const other = (await create()).body.endpoint;
    expect((await ask('PATCH', `/endpoints/${other.id}`, { endpoint: { url } })).status).toBe(409);
    expect((await ask('DELETE', `/endpoints/${endpoint.id}`)).status).toBe(204);
    expect((await ask('GET', `/endpoints/${endpoint.id}`)).status).toBe(404);
    expect((await ask('DELETE', `/endpoints/${endpoint.id}`)).status).toBe(404);
  });

  it('is one of so many', async () => {
    const tenant = await mintActor('member');
    const made = await Promise.all(Array.from({ length: PROJECT_ENDPOINTS_MAX + 2 }, () => create({}, tenant)));
    const refused = made.filter((each) => each.status === 409);
    expect(refused).toHaveLength(2);
    expect(refused[0]?.body.error.message).toMatch(/There are 10 webhook endpoints/);
    const page = await ask('GET', '/endpoints?limit=3', undefined, tenant);
    expect(page.body.endpoints).toHaveLength(3);
    expect(page.body.endpoints_links[0].rel).toBe('next');
  });
});

/** Waits until the receiver has so many. */
async function arrived(box: ReturnType<typeof receiver>, count: number) {
  await expect.poll(async () => (await box.received()).length).toBeGreaterThanOrEqual(count);
  return box.received();
}

describe('the sender behind an endpoint', () => {
  it('sends what a client’s call caused, without being asked', async () => {
    const one = await ComputeCloud.open();
    const box = receiver();
    const post = (path: string, body?: unknown) =>
      call('POST', `/r/${one.region}/aerostat/v1/webhooks${path}`, {
        token: one.user.token,
        ...(body === undefined ? {} : { body }),
      });
    const made = await post('/endpoints', { endpoint: { url: box.url, events: ['network.*'] } });
    const { endpoint } = (await made.json()) as { endpoint: { id: string; secret: string } };
    await box.put({ secrets: [endpoint.secret], behaviours: [{ status: 500 }] });
    const { networkId } = await one.addNetwork();
    // The first fails; what comes again after 5 s needs no wake.
    const got = await arrived(box, 2);
    expect(got.every((each) => each.verified[0])).toBe(true);
    expect(got[1]?.id).toBe(got[0]?.id);
    expect(JSON.parse(got[0]?.body ?? '')).toMatchObject({ type: 'network.created', resource_id: networkId });

    expect((await post(`/endpoints/${endpoint.id}/test`)).status).toBe(202);
    const tested = await arrived(box, 3);
    expect(JSON.parse(tested[2]?.body ?? '')).toMatchObject({ type: 'webhook.test', data: { id: endpoint.id } });
  });

  it('of one that stalls holds up no other', async () => {
    const one = await ComputeCloud.open();
    const [slow, fast] = [receiver(), receiver()];
    const url = `/r/${one.region}/aerostat/v1/webhooks/endpoints`;
    for (const box of [slow, fast])
      await call('POST', url, { token: one.user.token, body: { endpoint: { url: box.url } } });
    await slow.put({ always: { does: 'stall' } });
    await one.addNetwork();
    await one.addNetwork();
    expect(await arrived(fast, 2)).toHaveLength(2);
    expect((await slow.received()).length).toBeLessThanOrEqual(2);
  });
});

describe('secrets', () => {
  it('are rotated without a gap: both sign, until the older expires', async () => {
    const box = receiver();
    const { endpoint } = (await create({ url: box.url })).body;
    const rotated = await ask('POST', `/endpoints/${endpoint.id}/rotate`, { secret: {} });
    expect(rotated.status).toBe(201);
    expect(rotated.body.secret).toMatchObject({
      type: 'hmac',
      expires_at: null,
      secret: expect.stringMatching(/^whsec_/),
    });
    await box.put({ secrets: [endpoint.secret, rotated.body.secret.secret] });
    await ask('POST', `/endpoints/${endpoint.id}/test`);
    const [got] = await arrived(box, 1);
    expect(got?.signature.split(' ')).toHaveLength(2);
    expect(got?.verified).toEqual([true, true]);

    const last = await ask('POST', `/endpoints/${endpoint.id}/rotate`, { secret: { overlap_s: 0 } });
    await box.put({ secrets: [endpoint.secret, rotated.body.secret.secret, last.body.secret.secret] });
    await ask('POST', `/endpoints/${endpoint.id}/test`);
    expect((await arrived(box, 2))[1]?.verified).toEqual([false, false, true]);
    const rows = await cloud.ctx.db.select().from(webhookSecrets).where(eq(webhookSecrets.endpointId, endpoint.id));
    expect(rows).toHaveLength(1);
  });

  it('are so many at once', async () => {
    const { id } = (await create()).body.endpoint;
    const rotate = () => ask('POST', `/endpoints/${id}/rotate`, { secret: {} });
    for (let more = 1; more < SECRETS_MAX; more += 1) expect((await rotate()).status).toBe(201);
    expect((await rotate()).body.error.message).toMatch(/3 secrets sign already/);
    expect((await ask('GET', `/endpoints/${id}`)).body.endpoint.secrets).toHaveLength(SECRETS_MAX);
    expect((await ask('POST', `/endpoints/${id}/rotate`, { secret: { overlap_s: 0 } })).status).toBe(201);
  });

  it('can be key pairs, of which only the public key is ever shown', async () => {
    const box = receiver();
    const { endpoint } = (await create({ url: box.url, secret_type: 'ed25519' })).body;
    expect(endpoint).not.toHaveProperty('secret');
    expect(endpoint.public_key).toMatch(/^whpk_/);
    expect(endpoint.secrets).toMatchObject([{ type: 'ed25519', public_key: endpoint.public_key }]);
    await ask('POST', `/endpoints/${endpoint.id}/test`);
    const [got] = await arrived(box, 1);
    const [version, signature = ''] = got?.signature.split(',') ?? [];
    expect(version).toBe('v1a');
    const raw = Buffer.from(endpoint.public_key.slice(5), 'base64');
    const key = await crypto.subtle.importKey('raw', raw, 'Ed25519', false, ['verify']);
    const verify = (content: string) =>
      crypto.subtle.verify('Ed25519', key, Buffer.from(signature, 'base64'), new TextEncoder().encode(content));
    expect(await verify(`${got?.id}.${got?.timestamp}.${got?.body}`)).toBe(true);
    expect(await verify(`${got?.id}.${got?.timestamp}.${got?.body} `)).toBe(false);
    // From a shared secret to a key pair, both sign meanwhile.
    const rotated = await ask('POST', `/endpoints/${endpoint.id}/rotate`, { secret: { type: 'hmac' } });
    await box.put({ secrets: [rotated.body.secret.secret] });
    await ask('POST', `/endpoints/${endpoint.id}/test`);
    const [, both] = await arrived(box, 2);
    expect(both?.signature).toMatch(/^v1,\S+ v1a,\S+$/);
    expect(both?.verified).toEqual([true]);
  });
});

describe('what is published', () => {
  it('lists every type with its schema and an example', async () => {
    const { body } = await ask('GET', '/event-types');
    expect(body.event_types.map((each: { type: string }) => each.type)).toEqual(EVENT_TYPE_NAMES);
    const created = body.event_types.find((each: { type: string }) => each.type === 'server.created');
    expect(created).toMatchObject({ schema_version: 1, scope: 'project', schema: { type: 'object' } });
    expect(EVENT_TYPES['server.created'].data.parse(created.example.data)).toEqual(created.example.data);
  });

  it('is an OpenAPI document whose references all lead somewhere', async () => {
    const { body } = await ask('GET', '/openapi.json');
    expect(body.openapi).toBe('3.1.0');
    expect(Object.keys(body.webhooks)).toEqual(EVENT_TYPE_NAMES);
    const references = [...JSON.stringify(body).matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)].map(
      (found) => found[1],
    );
    expect(new Set(references)).toEqual(new Set(Object.keys(body.components.schemas)));
  });

  it('lists what happened, of the project alone, in order', async () => {
    const one = await ComputeCloud.open();
    const { networkId } = await one.addNetwork();
    await one.addNetwork('10.8.0.0/24', { as: one.admin });
    const url = `/r/${one.region}/aerostat/v1/webhooks/events`;
    const list = async (as: Actor, query = '') =>
      ((await (await call('GET', `${url}${query}`, { token: as.token })).json()) as { events: { id: string }[] })
        .events;
    expect(await list(one.user)).toMatchObject([{ type: 'network.created', resource_id: networkId, version: 1 }]);
    const all = await list(one.admin, '?type=network.created');
    expect(all).toHaveLength(2);
    expect(await list(one.admin, `?type=network.created&limit=1&marker=${all[0]?.id}`)).toEqual([all[1]]);
  });
});

describe('deletion', () => {
  it('takes deliveries and secrets along, and is in the audit', async () => {
    const box = receiver();
    const { id } = (await create({ url: box.url })).body.endpoint;
    await ask('POST', `/endpoints/${id}/test`);
    await arrived(box, 1);
    const [delivery] = (await ask('GET', `/endpoints/${id}/deliveries`)).body.deliveries;
    await ask('DELETE', `/endpoints/${id}`);
    expect((await ask('GET', `/deliveries/${delivery.id}`)).status).toBe(404);
    const [note] = await cloud.ctx.db
      .select()
      .from(audit)
      .where(and(eq(audit.targetId, id), eq(audit.action, 'webhooks:endpoints:delete')));
    expect(note?.detail).toEqual({ host: new URL(box.url).host });
  });
});
