import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Cloud, startCloud } from './cloud.ts';
import { type Behaviour, type Received, startReceiver } from './webhook-receiver.ts';

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

/** An endpoint of the admin's project, with a box of its own at the receiver. */
async function endpoint(events: string[]) {
  const url = `${receiver.url}/${crypto.randomUUID()}`;
  const body = { endpoint: { url, events } };
  const made = await cloud.admin.call<{ endpoint: { id: string; secret: string } }>(
    'aerostat',
    'POST',
    '/webhooks/endpoints',
    body,
  );
  const put = async (of: { behaviours?: Behaviour[]; always?: Behaviour | null; secrets?: string[] }) => {
    await fetch(url, { method: 'PUT', body: JSON.stringify(of) });
  };
  await put({ secrets: [made.endpoint.secret] });
  const received = async () => (await (await fetch(url)).json()) as Received[];
  return { ...made.endpoint, put, received };
}
const addNetwork = async () => {
  const made = await cloud.admin.call<{ network: { id: string } }>('network', 'POST', '/v2.0/networks', {
    network: {},
  });
  return made.network.id;
};

describe('webhooks of a real control plane', () => {
  it('survive that it is killed while one is under way, and come under the same id', async () => {
    const one = await endpoint(['network.*']);
    await one.put({ behaviours: [{ does: 'stall' }] });
    const id = await addNetwork();
    await expect.poll(one.received).toHaveLength(1);
    const before = cloud.edge.workerd.pid();
    process.kill(before ?? 0, 'SIGKILL');
    await expect.poll(() => cloud.edge.workerd.pid()).not.toBe(before);
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
