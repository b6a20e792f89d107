import { z } from 'zod';

/** What a type of event tells. Its data only ever gains members while `version` stays. */
interface EventType {
  /** Of the schema of its data. */
  version: number;
  /** Whom it is told: the project's endpoints and the operator's, or the operator's alone. */
  scope: 'project' | 'region';
  summary: string;
  data: z.ZodType<Record<string, unknown>>;
  example: Record<string, unknown>;
}

const ID = '0d3f7f0c-4f57-4b0e-8f0a-2f6f8f6d9a11';
const OTHER_ID = '9b0c6c7e-51a4-4f37-a1a5-5d2f5f3f8a42';
const TIME = '2026-11-28T09:00:00.000Z';
const LATER = '2026-11-28T10:00:00.000Z';

const id = z.string().min(1).max(128);
const time = z.iso.datetime();
/** An amount in millionths of the currency's unit: 1230000 is 1.23 EUR. */
const micros = z.int();
const currency = z.string().regex(/^[A-Z]{3}$/);

const server = z.object({
  id,
  name: z.string(),
  state: z.string().meta({ description: 'As Nova names states at rest: building, active, stopped, ...' }),
  previous_state: z.string().nullable(),
  flavor: z.object({ id: z.string(), name: z.string(), vcpus: z.int(), ram_mib: z.int(), disk_gib: z.int() }),
  image_id: z.string(),
  availability_zone: z.string(),
  user_id: z.string(),
  fault: z.object({ code: z.int(), message: z.string() }).nullable(),
});
const floatingIp = z.object({
  id,
  floating_ip_address: z.string(),
  floating_network_id: id,
  status: z.enum(['ACTIVE', 'DOWN', 'ERROR']),
  port_id: id.nullable(),
  fixed_ip_address: z.string().nullable(),
  router_id: id.nullable(),
});
const network = z.object({
  id,
  name: z.string(),
  admin_state_up: z.boolean(),
  shared: z.boolean(),
  external: z.boolean(),
  mtu: z.int(),
});
const runner = z.object({
  id,
  name: z.string(),
  availability_zone: z.string(),
  state: z.enum(['enabled', 'draining', 'disabled', 'removed']),
  state_reason: z.string().nullable(),
  connected: z.boolean(),
  hypervisor: z.string().nullable(),
  version: z.string().nullable(),
});
const purchase = z.object({
  account_id: id,
  currency,
  amount_micros: micros,
  purchases: z.int(),
  from: time,
  through: time,
});
const invoice = z.object({
  id,
  account_id: id,
  number: z.int().nullable(),
  month: z.string().regex(/^\d{4}-\d{2}$/),
  total_micros: micros,
  currency,
});
const balance = z.object({ account_id: id, available_micros: micros.nullable(), currency });
const ladder = z.object({ ...balance.shape, delete_at: time.nullable() });
const budget = z.object({
  id,
  account_id: id,
  name: z.string(),
  percent: z.int(),
  spent_micros: micros,
  amount_micros: micros,
  currency,
});
const alarm = z.object({
  id,
  name: z.string(),
  meter: z.string(),
  resource_id: id.nullable(),
  comparison: z.string(),
  threshold: z.number(),
  value: z.number().nullable(),
});

const GUEST = {
  id: ID,
  name: 'web-1',
  state: 'active',
  previous_state: 'building',
  flavor: { id: '1', name: 'm1.small', vcpus: 1, ram_mib: 2048, disk_gib: 20 },
  image_id: OTHER_ID,
  availability_zone: 'nova',
  user_id: 'f0e1d2c3b4a5968778695a4b3c2d1e0f',
  fault: null,
};
const ADDRESS = {
  id: ID,
  floating_ip_address: '203.0.113.7',
  floating_network_id: OTHER_ID,
  status: 'DOWN',
  port_id: null,
  fixed_ip_address: null,
  router_id: null,
};
const NET = { id: ID, name: 'private', admin_state_up: true, shared: false, external: false, mtu: 1450 };
const HOST = {
  id: ID,
  name: 'host-1',
  availability_zone: 'nova',
  state: 'enabled',
  state_reason: null,
  connected: true,
  hypervisor: 'QEMU',
  version: '0.1.0',
};
const PURCHASE = {
  account_id: 'RegionOne.f0e1',
  currency: 'CNY',
  amount_micros: 12,
  purchases: 1,
  from: TIME,
  through: LATER,
};
const INVOICE = {
  id: ID,
  account_id: 'RegionOne.f0e1',
  number: null,
  month: '2026-11',
  total_micros: 8_640,
  currency: 'CNY',
};
const BALANCE = { account_id: 'RegionOne.f0e1', available_micros: 420, currency: 'CNY' };
const BUDGET = {
  id: ID,
  account_id: 'RegionOne.f0e1',
  name: 'all',
  percent: 80,
  spent_micros: 8_010,
  amount_micros: 10_000,
  currency: 'CNY',
};
const ALARM = {
  id: ID,
  name: 'egress',
  meter: 'public.egress.bytes',
  resource_id: OTHER_ID,
  comparison: 'gt',
  threshold: 1_000_000,
  value: 1_200_000,
};

type Shape<T extends z.ZodType> = { data: T; example: z.input<T>; scope: 'project' | 'region' };
const told = <T extends z.ZodType>(of: Shape<T>, summary: string, example: Partial<z.input<T>> = {}) => ({
  ...{ version: 1, summary, scope: of.scope, data: of.data },
  example: { ...(of.example as object), ...example } as z.input<T>,
});
const SERVER = { data: server, example: GUEST, scope: 'project' } as const;
const FLOATING = { data: floatingIp, example: ADDRESS, scope: 'project' } as Shape<typeof floatingIp>;
const NETWORK = { data: network, example: NET, scope: 'project' } as const;
const RUNNER = { data: runner, example: HOST, scope: 'region' } as Shape<typeof runner>;
const BOUGHT = { data: purchase, example: PURCHASE, scope: 'project' } as const;
const BILL = { data: invoice, example: INVOICE, scope: 'project' } as Shape<typeof invoice>;
const MONEY = { data: balance, example: BALANCE, scope: 'project' } as const;
const STEP = {
  data: ladder,
  example: { ...BALANCE, available_micros: -30, delete_at: LATER },
  scope: 'project',
} as Shape<typeof ladder>;
const SPENT = { data: budget, example: BUDGET, scope: 'project' } as const;
const MEASURED = { data: alarm, example: ALARM, scope: 'project' } as const;

const states = {
  'server.building': told(SERVER, 'A server is being built again.', { state: 'building', previous_state: 'error' }),
  'server.active': told(SERVER, 'A server runs.'),
  'server.paused': told(SERVER, 'A server was paused.', { state: 'paused', previous_state: 'active' }),
  'server.suspended': told(SERVER, 'A server was suspended to disk.', { state: 'suspended', previous_state: 'active' }),
  'server.stopped': told(SERVER, 'A server is off.', { state: 'stopped', previous_state: 'active' }),
  'server.rescued': told(SERVER, 'A server runs from a rescue image.', { state: 'rescued', previous_state: 'active' }),
  'server.shelved': told(SERVER, 'A server was shelved.', { state: 'shelved', previous_state: 'active' }),
  'server.shelved_offloaded': told(SERVER, 'A shelved server left its host.', {
    ...{ state: 'shelved_offloaded', previous_state: 'shelved' },
  }),
  'server.soft_deleted': told(SERVER, 'A server was deleted, and can be restored.', {
    ...{ state: 'soft-delete', previous_state: 'active' },
  }),
  'server.error': told(SERVER, 'A server failed; its fault says why.', {
    ...{ state: 'error', fault: { code: 500, message: 'No valid host was found.' } },
  }),
};

/** Every type of event, by its name. What is told of a type is one row; see docs/webhooks.md. */
export const EVENT_TYPES = {
  'server.created': told(SERVER, 'A server was asked for.', { state: 'building', previous_state: null }),
  'server.updated': told(SERVER, 'Name, description, metadata, tags, lock or access addresses of a server changed.'),
  'server.resized': told(SERVER, 'A server has another flavor, or waits to be told to keep it.', { state: 'resized' }),
  ...states,
  'server.deleted': told(SERVER, 'A server is gone.', { state: 'deleted', previous_state: 'active' }),
  'floating_ip.created': told(FLOATING, 'A floating IP was allocated.'),
  'floating_ip.updated': told(FLOATING, 'Description, tags or QoS policy of a floating IP changed.'),
  'floating_ip.associated': told(FLOATING, 'A floating IP leads to a port.', { port_id: ID }),
  'floating_ip.disassociated': told(FLOATING, 'A floating IP leads nowhere.'),
  'floating_ip.active': told(FLOATING, 'A floating IP is in force on its host.', { status: 'ACTIVE', port_id: ID }),
  'floating_ip.down': told(FLOATING, 'A floating IP is no longer in force.'),
  'floating_ip.error': told(FLOATING, 'A floating IP could not be put in force.', { status: 'ERROR', port_id: ID }),
  'floating_ip.deleted': told(FLOATING, 'A floating IP was given back.'),
  'network.created': told(NETWORK, 'A network was made.'),
  'network.updated': told(NETWORK, 'What is said of a network changed.'),
  'network.deleted': told(NETWORK, 'A network is gone.'),
  'runner.enrolled': told(RUNNER, 'A machine joined.', { connected: false }),
  'runner.updated': told(RUNNER, 'An operator changed the state or zone of a machine.', { state: 'draining' }),
  'runner.up': told(RUNNER, 'A machine is connected.'),
  'runner.down': told(RUNNER, 'A machine lost its connection; its guests may well run on.', { connected: false }),
  'runner.removed': told(RUNNER, 'A machine was removed for good.', { state: 'removed', connected: false }),
  'billing.purchase.created': told(
    BOUGHT,
    'What was charged since the last time: one event a round, project and currency.',
  ),
  'billing.invoice.drafted': told(BILL, 'The invoice of a period is drafted; late usage may still change it.'),
  'billing.invoice.finalized': told(BILL, 'An invoice is final.', { number: 42 }),
  'billing.balance.low': told(MONEY, 'The balance is below the mark that was set.'),
  'billing.balance.exhausted': told(MONEY, 'The balance is used up.', { available_micros: -30 }),
  'billing.balance.restored': told(MONEY, 'The balance is good again.', { available_micros: 10_000 }),
  'billing.account.suspended': told(
    STEP,
    'Its grace is over: servers are stopped, and nothing new is made, until it pays.',
  ),
  'billing.account.resumed': told(STEP, 'It has something again: what was stopped starts.', { delete_at: null }),
  'billing.account.deletion_due': told(STEP, 'All that its projects have is deleted at that time.'),
  'billing.account.emptied': told(STEP, 'Servers, floating IPs and images of its projects are deleted.'),
  'billing.budget.reached': told(SPENT, 'A share of a budget is spent.'),
  'alarm.triggered': told(MEASURED, 'A threshold was crossed.'),
  'alarm.cleared': told(MEASURED, 'A threshold is crossed no more.', { value: 900_000 }),
  'webhook.test': told(
    { data: z.object({ id, message: z.string() }), example: { id: ID, message: 'It works.' }, scope: 'project' },
    'Somebody tried an endpoint: it is sent to that one alone, whatever its filters.',
  ),
  'webhook.endpoint.disabled': told(
    {
      data: z.object({
        id,
        description: z.string(),
        reason: z.enum(['asked', 'gone', 'failing']),
        failing_since: time.nullable(),
      }),
      example: { id: ID, description: 'orders', reason: 'failing', failing_since: TIME },
      scope: 'project',
    },
    'Another endpoint gets no more events: somebody said so, it answered 410, or it failed for days.',
  ),
} satisfies Record<string, EventType>;
export type EventTypeName = keyof typeof EVENT_TYPES;
/** The data of an event of a type. */
export type EventData<T extends EventTypeName> = z.input<(typeof EVENT_TYPES)[T]['data']>;

export const EVENT_TYPE_NAMES = Object.keys(EVENT_TYPES) as EventTypeName[];

/** Bytes of an event's data; whoever needs more asks the API. */
export const EVENT_DATA_BYTES_MAX = 16_000;

/** A type, `server.*` for all below, or `*`: nothing else that a pattern could mean. */
export const EVENT_FILTER = /^(\*|[a-z_]+(\.[a-z_]+)*(\.\*)?)$/;

/** The types that a filter lets through; none for what is no filter. */
export function typesOf(filter: string): EventTypeName[] {
  if (!EVENT_FILTER.test(filter)) return [];
  if (!filter.endsWith('*')) return EVENT_TYPE_NAMES.filter((name) => name === filter);
  return EVENT_TYPE_NAMES.filter((name) => name.startsWith(filter.slice(0, -1)));
}
