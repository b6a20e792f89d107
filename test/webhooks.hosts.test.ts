import { createPublicKey, verify } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../home/until.ts';
import { pause } from '../runner/host/wait.ts';
import { type Cloud, startCloud } from './cloud.ts';
import { type Behaviour, type Received, startReceiver } from './webhook-receiver.ts';

const START_TIMEOUT_MS = 60_000;

let cloud: Cloud;
let receiver: Awaited<ReturnType<typeof startReceiver>>;

beforeAll(async () => {
  receiver = await startReceiver();
  cloud = await startCloud({ webhookAllow: ['127.0.0.1/32'] });
});
afterAll(async () => {
  await cloud.stop();
  await receiver.close();
});

/** A project has but ten. */
afterEach(async () => {
  const path = '/webhooks/endpoints';
  const { endpoints } = await cloud.admin.call<{ endpoints: { id: string }[] }>('aerostat', 'GET', path);
  for (const { id } of endpoints) await cloud.admin.call('aerostat', 'DELETE', `${path}/${id}`);
});

/** An endpoint of the admin's project, with a box of its own at the receiver. */
async function endpoint(events: string[], of: { secret_type?: 'ed25519' } = {}) {
  const url = `${receiver.url}/${crypto.randomUUID()}`;
  const body = { endpoint: { url, events, ...of } };
  const made = await cloud.admin.call<{ endpoint: { id: string; secret: string; public_key: string } }>(
    'aerostat',
    'POST',
    '/webhooks/endpoints',
    body,
  );
  const put = async (of: { behaviours?: Behaviour[]; always?: Behaviour | null; secrets?: string[] }) => {
    await fetch(url, { method: 'PUT', body: JSON.stringify(of) });
  };
  await put({ secrets: made.endpoint.secret ? [made.endpoint.secret] : [] });
  const received = async () => (await (await fetch(url)).json()) as Received[];
  return { ...made.endpoint, put, received };
}
const addNetwork = async () => {
  const made = await cloud.admin.call<{ network: { id: string } }>('network', 'POST', '/v2.0/networks', {
    network: {},
  });
  return made.network.id;
};

/** Whether one of the signatures is the key pair's, by Node's own crypto. */
function signedBy(publicKey: string, { id, timestamp, signature, body }: Received): boolean {
  const x = Buffer.from(publicKey.slice('whpk_'.length), 'base64').toString('base64url');
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
  const content = Buffer.from(`${id}.${timestamp}.${body}`);
  const own = signature.split(' ').filter((one) => one.startsWith('v1a,'));
  return own.some((one) => verify(null, content, key, Buffer.from(one.slice('v1a,'.length), 'base64')));
}

/** Kills a process of the control plane; it is started again by its supervisor. */
async function kill(one: Cloud['edge']['workerd']): Promise<void> {
  await until('a process', START_TIMEOUT_MS, async () => one.pid() !== undefined);
  const pid = one.pid();
  // Zero would be this test and all around it.
  if (!pid) throw new Error('there is no process to kill');
  process.kill(pid, 'SIGKILL');
  await until('another process', START_TIMEOUT_MS, async () => one.pid() !== undefined && one.pid() !== pid);
}

const rotate = async (id: string, secret: object) => {
  const path = `/webhooks/endpoints/${id}/rotate`;
  return (await cloud.admin.call<{ secret: { secret: string } }>('aerostat', 'POST', path, { secret })).secret;
};

describe('webhooks of a real control plane', () => {
  it('are signed with a key pair, and with two secrets while they change', async () => {
    const one = await endpoint(['network.*'], { secret_type: 'ed25519' });
    await addNetwork();
    await expect.poll(one.received).toHaveLength(1);
    const [first] = await one.received();
    expect(first?.signature).toMatch(/^v1a,\S+$/);
    expect(signedBy(one.public_key, first as Received)).toBe(true);
    expect(signedBy(one.public_key, { ...(first as Received), body: '{}' })).toBe(false);
    const { secret } = await rotate(one.id, { type: 'hmac' });
    await one.put({ secrets: [secret] });
    await addNetwork();
    await expect.poll(one.received).toHaveLength(2);
    const [, both] = await one.received();
    expect(both?.signature.split(' ')).toHaveLength(2);
    expect([both?.verified, signedBy(one.public_key, both as Received)]).toEqual([[true], true]);
  });

  it('go their way whatever the receivers beside do: fail, stall, redirect, ask for rest, or want no more', async () => {
    const [well, failing, stalling, leading, resting, gone] = [
      ...(await Promise.all(Array.from({ length: 6 }, () => endpoint(['network.*'])))),
    ];
    if (!well || !failing || !stalling || !leading || !resting || !gone) throw new Error('too few');
    await failing.put({ behaviours: [{ status: 500 }] });
    await stalling.put({ always: { does: 'stall' } });
    await leading.put({ behaviours: [{ status: 307, headers: { location: `${receiver.url}/elsewhere` } }] });
    await resting.put({ behaviours: [{ status: 429, headers: { 'retry-after': '12' } }] });
    await gone.put({ always: { status: 410 } });
    await addNetwork();
    await expect.poll(well.received).toHaveLength(1);
    await expect.poll(stalling.received).toHaveLength(1);
    await addNetwork();
    // The stalling one holds up nobody; those that failed and led astray are asked again, and take it.
    await expect.poll(well.received).toHaveLength(2);
    for (const one of [failing, leading]) {
      await expect.poll(one.received).toHaveLength(3);
      const got = await one.received();
      expect(new Set(got.map((each) => each.id)).size).toBe(2);
      expect(got.every((each) => each.verified[0])).toBe(true);
    }
    expect(await (await fetch(`${receiver.url}/elsewhere`)).json()).toEqual([]);
    // The one that asked for rest has it, to the last second, and then all.
    await expect.poll(resting.received).toHaveLength(3);
    const [asked, ...after] = await resting.received();
    for (const each of after) expect(each.atMs - (asked?.atMs ?? 0)).toBeGreaterThanOrEqual(12_000);
    expect(new Set((await resting.received()).map((each) => each.id)).size).toBe(2);
    const shown = await cloud.admin.call<{ endpoint: object }>('aerostat', 'GET', `/webhooks/endpoints/${gone.id}`);
    expect(shown.endpoint).toMatchObject({ enabled: false, disabled_reason: 'gone' });
    expect(await gone.received()).toHaveLength(1);
  });

  it('are told of what committed and of nothing else, though the database is killed in the middle', async () => {
    const one = await endpoint(['network.*']);
    const names = Array.from({ length: 60 }, () => `crash-${crypto.randomUUID()}`);
    const asked = names.map(async (name, at) => {
      await pause(at * 15);
      await cloud.admin.call('network', 'POST', '/v2.0/networks', { network: { name } }).catch(() => {});
    });
    for (let kills = 0; kills < 3; kills += 1) {
      await pause(200);
      await kill(cloud.edge.database);
    }
    await Promise.all(asked);
    type Networks = { networks: { id: string; name: string }[] };
    const list = () => cloud.admin.call<Networks>('network', 'GET', '/v2.0/networks');
    await until('the database', START_TIMEOUT_MS, async () => (await list()).networks.length > 0);
    const there = (await list()).networks.filter(({ name }) => names.includes(name)).map(({ id }) => id);
    expect(there.length).toBeGreaterThan(0);
    const told = async () => [
      ...new Set((await one.received()).map((each) => JSON.parse(each.body).resource_id as string)),
    ];
    await expect.poll(async () => (await told()).sort()).toEqual(there.sort());
  });

  it('survive that it is killed while one is under way, and come under the same id', async () => {
    const one = await endpoint(['network.*']);
    await one.put({ behaviours: [{ does: 'stall' }] });
    const id = await addNetwork();
    await expect.poll(one.received).toHaveLength(1);
    await kill(cloud.edge.workerd);
    await expect.poll(one.received).toHaveLength(2);
    const [first, second] = await one.received();
    expect(second).toMatchObject({ id: first?.id, body: first?.body, verified: [true] });
    expect(JSON.parse(second?.body ?? '')).toMatchObject({ type: 'network.created', resource_id: id });
  });

  it('are sent without being asked, and a refused address is told as such', async () => {
    const one = await endpoint(['network.*']);
    await addNetwork();
    await expect.poll(one.received).toHaveLength(1);
    const refused = cloud.admin.call('aerostat', 'POST', '/webhooks/endpoints', {
      endpoint: { url: 'http://127.0.0.2/' },
    });
    await expect(refused).rejects.toThrow(/must be https/);
    // A name is let through where the operator allows addresses; where it leads is seen when the connection is made.
    const named = await cloud.admin.call<{ endpoint: { id: string } }>('aerostat', 'POST', '/webhooks/endpoints', {
      endpoint: { url: 'http://ip6-localhost:9/', events: ['server.*'] },
    });
    await cloud.admin.call('aerostat', 'POST', `/webhooks/endpoints/${named.endpoint.id}/test`);
    const list = `/webhooks/endpoints/${named.endpoint.id}/deliveries`;
    type Deliveries = { deliveries: { id: string; attempt_count: number }[] };
    const delivery = async () => (await cloud.admin.call<Deliveries>('aerostat', 'GET', list)).deliveries[0];
    await expect.poll(async () => (await delivery())?.attempt_count).toBeGreaterThan(0);
    const shown = await cloud.admin.call<{ delivery: { attempts: { error: string }[] } }>(
      'aerostat',
      'GET',
      `/webhooks/deliveries/${(await delivery())?.id}`,
    );
    expect(shown.delivery.attempts[0]?.error).toMatch(/not reached|connection/i);
  });
});
