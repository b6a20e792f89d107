import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { type ApiClient, login } from '../home/api-client.ts';
import { loadSecrets } from '../home/secrets.ts';
import { until } from '../home/until.ts';
import { type ClockAhead, openClockAhead } from './clock-ahead.ts';
import { type ScenarioCloud, startScenarioCloud } from './conformance/scenario-cloud.ts';

/*
 * A real guest exchanges packets with the world through a floating IP, while its runner is killed, its line is cut and the
 * edge is killed. The world's own kernel counts beside. Then the months pass, by a clock that all processes are given, until
 * the invoice is final.
 */

const BOOT_TIMEOUT_MS = 120_000;
const METERED_TIMEOUT_MS = 120_000;
const BILLED_TIMEOUT_MS = 120_000;
const PINGS = 20;
const DATA_BYTES = 1000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const REAL = new Date();
/** The month that is billed is the next one, so that neither it nor its end depends on when this runs. */
const month = (after: number) => Date.UTC(REAL.getUTCFullYear(), REAL.getUTCMonth() + 1 + after);
const MONTH_END_MS = month(1);
/** Prices begin with a full hour that is to come. A machine seals a day's hours at once: here the month has fewer left. */
const SOLD_FROM_MS = MONTH_END_MS - 10 * HOUR_MS;

let clock: ClockAhead;
let scenario: ScenarioCloud;
let api: ApiClient;
beforeAll(async () => {
  clock = await openClockAhead();
  clock.setTo(SOLD_FROM_MS - 10 * 60_000);
  for (const [name, value] of Object.entries(clock.env)) vi.stubEnv(name, value);
  scenario = await startScenarioCloud(1);
  api = scenario.cloud.admin;
  await sell();
  await travelTo(SOLD_FROM_MS);
});
afterAll(async () => {
  await scenario?.close();
  vi.unstubAllEnvs();
  clock?.close();
});

const call = <T>(service: string, method: string, path: string, body?: unknown) =>
  api.call<T>(service, method, path, body);
const billing = <T>(path: string, body?: unknown) =>
  call<T>('aerostat', body === undefined ? 'GET' : 'POST', `/billing${path}`, body);

/**
 * Lets time pass. The edge begins again then: what it waits for by timers would not know of it. A token of before is over,
 * and the machine has to be heard again.
 */
async function travelTo(atMs: number): Promise<void> {
  const { cloud } = scenario;
  clock.setTo(atMs);
  process.kill(cloud.edge.workerd.pid() ?? 0, 'SIGKILL');
  const password = loadSecrets(cloud.paths.secrets).adminPassword;
  await until('the cloud after a jump of its clock', BOOT_TIMEOUT_MS, async () => {
    api = await login(`${cloud.url}/identity/v3`, { user: 'admin', password, project: 'admin' });
    const { runners } = await call<{ runners: { status: string }[] }>('aerostat', 'GET', '/runners');
    return runners.every(({ status }) => status === 'connected');
  });
}

/** A cent for each millisecond of the server and each byte to the world, and a price that has to be rounded. */
async function sell(): Promise<void> {
  const products = [
    { item: 'server', item_type: 'm1.nano', order_unit: 'hours', unit_price: '36000' },
    { item: 'floating_ip', order_unit: 'hours', unit_price: '0.0123', weights: { idle: '0.5' } },
    { item: 'floating_ip.egress.bytes', order_unit: 'bytes', unit_price: '0.01' },
  ];
  for (const { unit_price, weights = {}, ...product } of products) {
    const terms = { model: 'per_unit', unit_price, weights };
    const price = { effective_from: new Date(SOLD_FROM_MS).toISOString(), terms };
    await billing('/products', { product: { name: product.item, currency: 'EUR', ...product, price } });
  }
}

/** A guest of a network behind a router of its own, and the floating IP that leads to it. */
async function guestWithFloatingIp(): Promise<{ server: string; id: string; address: string }> {
  const { compute, network: told } = scenario.tempest;
  const outside = told?.public_network_id;
  const { network } = await call<{ network: { id: string } }>('network', 'POST', '/v2.0/networks', { network: {} });
  const cidr = { network_id: network.id, ip_version: 4, cidr: '10.91.0.0/24' };
  const { subnet } = await call<{ subnet: { id: string } }>('network', 'POST', '/v2.0/subnets', { subnet: cidr });
  const gateway = { external_gateway_info: { network_id: outside } };
  const { router } = await call<{ router: { id: string } }>('network', 'POST', '/v2.0/routers', { router: gateway });
  await call('network', 'PUT', `/v2.0/routers/${router.id}/add_router_interface`, { subnet_id: subnet.id });
  const group = { name: 'pings' };
  const { security_group } = await call<{ security_group: { id: string } }>(
    'network',
    'POST',
    '/v2.0/security-groups',
    { security_group: group },
  );
  const rule = { security_group_id: security_group.id, direction: 'ingress', ethertype: 'IPv4', protocol: 'icmp' };
  await call('network', 'POST', '/v2.0/security-group-rules', { security_group_rule: rule });
  const { port } = await call<{ port: { id: string } }>('network', 'POST', '/v2.0/ports', {
    port: { network_id: network.id, security_groups: [security_group.id] },
  });
  const { server } = await call<{ server: { id: string } }>('compute', 'POST', '/servers', {
    server: {
      ...{ name: 'metered', imageRef: compute?.image_ref, flavorRef: compute?.flavor_ref },
      networks: [{ port: port.id }],
    },
  });
  const { floatingip } = await call<{ floatingip: { id: string; floating_ip_address: string } }>(
    'network',
    'POST',
    '/v2.0/floatingips',
    { floatingip: { floating_network_id: outside, port_id: port.id } },
  );
  return { server: server.id, id: floatingip.id, address: floatingip.floating_ip_address };
}

/** Whether the guest is up and the world reaches it, without a packet that would be counted. */
async function isReached(server: string, address: string): Promise<boolean> {
  const body = { 'os-getConsoleOutput': {} };
  const { output } = await call<{ output: string }>('compute', 'POST', `/servers/${server}/action`, body);
  if (!output.includes('ready hostname=')) return false;
  await inTheWorld(`arping -c1 -w1 -i cable ${address}`);
  return true;
}

const inTheWorld = async (line: string) => (await scenario.outside.run('sh', ['-c', line])).stdout;

/** What the world's kernel has exchanged with an address, in bytes of IP packets. */
async function counted(): Promise<{ from: number; to: number }> {
  const listed = JSON.parse(await inTheWorld('nft -j list counters table inet world')) as {
    nftables: { counter?: { name: string; bytes: number } }[];
  };
  const bytes = (name: string) => listed.nftables.find(({ counter }) => counter?.name === name)?.counter?.bytes ?? 0;
  return { from: bytes('from'), to: bytes('to') };
}

/** Where a counter of a resource stands, which began at zero: as it was last read. */
async function metered(id: string, meter: string): Promise<number> {
  const now = new Date(clock.nowMs() + 60_000).toISOString();
  const query = `aggregation=last&granularity=10&start=${new Date(clock.nowMs() - HOUR_MS).toISOString()}&stop=${now}`;
  const path = `/v1/resource/generic/${id}/metric/${meter}/measures?${query}`;
  const measures = await call<[string, number, number][]>('metric', 'GET', path);
  return measures.at(-1)?.[2] ?? 0;
}

let guest: Awaited<ReturnType<typeof guestWithFloatingIp>>;
/** What the world has exchanged with the guest. */
let world: Awaited<ReturnType<typeof counted>>;

it('counts a guest’s traffic with the world to the last byte, whatever ends meanwhile', async () => {
  guest = await guestWithFloatingIp();
  const { server, id, address } = guest;
  const [first] = scenario.machines;
  if (!first) throw new Error('no machine');
  const { machine, runner } = first;
  await inTheWorld(`nft -f - <<'END'
table inet world {
  counter from { }
  counter to { }
  chain hears { type filter hook prerouting priority 0; ip saddr ${address} counter name from; }
  chain says { type filter hook output priority 0; ip daddr ${address} counter name to; }
}
END`);
  await until('the guest', BOOT_TIMEOUT_MS, () => isReached(server, address));
  const pings = () => inTheWorld(`busybox ping -q -c${PINGS} -i 0.1 -s ${DATA_BYTES} ${address}`);
  await pings();
  await runner.kill();
  await pings();
  await runner.start();
  machine.line.away();
  await pings();
  process.kill(scenario.cloud.edge.workerd.pid() ?? 0, 'SIGKILL');
  machine.line.back();
  await pings();
  world = await counted();
  expect(world.to).toBe(4 * PINGS * (DATA_BYTES + 28));
  const bytes = (way: string) => metered(id, `floating_ip.${way}.bytes`);
  const all = async () => ({ from: await bytes('egress'), to: await bytes('ingress') });
  await until('all that was counted', METERED_TIMEOUT_MS, async () => isDeepStrictEqual(await all(), world));
});

interface Revision {
  state: string;
  revision_start: string;
  revision_end: string | null;
}
/** From when to when a resource was in a state, to the millisecond; to the month's end, where it still is. */
async function wasIn(state: string, type: string, id: string): Promise<bigint> {
  const revisions = await call<Revision[]>('metric', 'GET', `/v1/resource/${type}/${id}/history`);
  const own = revisions.filter((one) => one.state === state);
  expect(own).toHaveLength(1);
  const [{ revision_start, revision_end } = { revision_start: '', revision_end: '' }] = own;
  return BigInt((revision_end ? Date.parse(revision_end) : MONTH_END_MS) - Date.parse(revision_start));
}

interface Invoice {
  id: string;
  number: number | null;
  month: string;
  status: string;
  total: string;
}
interface Line {
  product: string;
  amount: string;
  resources: number;
  adjustment: boolean;
}
/** The invoice of the month. */
async function invoice(): Promise<Invoice | undefined> {
  const { invoices } = await billing<{ invoices: Invoice[] }>('/invoices');
  return invoices.find((one) => one.month === new Date(month(0)).toISOString().slice(0, 7));
}
const becomes = (status: string) =>
  until(`an invoice that is ${status}`, BILLED_TIMEOUT_MS, async () => (await invoice())?.status === status);
/** Cents as an amount is written. */
const written = (cents: bigint) => `${cents / 100n}.${String(cents % 100n).padStart(2, '0')}`;
/** Rounds what is half up; nothing here is below zero. */
const rounded = (n: bigint, d: bigint) => (2n * n + d) / (2n * d);

it('bills it: the final invoice is what a hand calculation says, to the cent', async () => {
  const { floatingip: spare } = await call<{ floatingip: { id: string } }>('network', 'POST', '/v2.0/floatingips', {
    floatingip: { floating_network_id: scenario.tempest.network?.public_network_id },
  });
  await call('network', 'DELETE', `/v2.0/floatingips/${spare.id}`);
  await becomes('open');
  await travelTo(MONTH_END_MS + HOUR_MS / 2);
  await becomes('draft');
  const sealed = async () => {
    const { progress } = await call<{ progress: { sealed_through: string }[] }>(
      'aerostat',
      'GET',
      '/metering/progress',
    );
    return progress.every((one) => Date.parse(one.sealed_through) >= MONTH_END_MS);
  };
  await until('the machine to have sealed the month', BILLED_TIMEOUT_MS, sealed);
  // Who found the hours not sealed yet asks again some minutes later.
  await travelTo(MONTH_END_MS + HOUR_MS);
  const charged = async () => {
    const { subscriptions } = await billing<{ subscriptions: { end: string | null; charged_through: string }[] }>(
      '/subscriptions',
    );
    return subscriptions.every(({ end, charged_through }) => end || Date.parse(charged_through) >= MONTH_END_MS);
  };
  await until('all of the month to be charged', BILLED_TIMEOUT_MS, charged);
  expect(await invoice()).toMatchObject({ status: 'draft' });
  await travelTo(MONTH_END_MS + 3 * DAY_MS + HOUR_MS);
  await becomes('final');

  const { id } = (await invoice()) as Invoice;
  const { invoice: whole } = await billing<{ invoice: Invoice & { lines: Line[] } }>(`/invoices/${id}`);
  const { total, number, lines } = whole;
  const served = await wasIn('active', 'instance', guest.server);
  const held = await wasIn('associated', 'floating_ip', guest.id);
  const idle = await wasIn('idle', 'floating_ip', spare.id);
  // 0.0123 an hour, and half of it: in cents, of milliseconds.
  const addresses = rounded((2n * held + idle) * 123n, 2n * 100n * BigInt(HOUR_MS));
  const bytes = BigInt(world.from);
  const line = (product: string, resources: number, cents: bigint) => ({
    ...{ product, resources, amount: written(cents), adjustment: false },
  });
  expect(lines).toHaveLength(3);
  expect(lines).toEqual(
    expect.arrayContaining(
      [line('server', 1, served), line('floating_ip', 2, addresses), line('floating_ip.egress.bytes', 1, bytes)].map(
        (one) => expect.objectContaining(one),
      ),
    ),
  );
  expect({ number, total }).toEqual({ number: 1, total: written(served + addresses + bytes) });
});
