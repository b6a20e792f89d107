import { z } from 'zod';

/** The data of events of a kind, with an example, and whom they are told. */
export type Shape<T extends z.ZodType> = { data: T; example: z.input<T>; scope: 'project' | 'region' };

/** What examples are of. */
export const EXAMPLE_ID = '0d3f7f0c-4f57-4b0e-8f0a-2f6f8f6d9a11';
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
const port = z.object({
  id,
  name: z.string(),
  network_id: id,
  status: z.enum(['ACTIVE', 'DOWN', 'BUILD', 'ERROR']),
  admin_state_up: z.boolean(),
  mac_address: z.string(),
  device_id: z.string(),
  device_owner: z.string(),
});
const router = z.object({ id, name: z.string(), admin_state_up: z.boolean(), enable_snat: z.boolean() });
const image = z.object({
  id,
  name: z.string().nullable(),
  status: z
    .string()
    .meta({ description: 'As Glance names it: queued, saving, importing, active, deactivated, deleted, ...' }),
  previous_status: z.string().nullable(),
  visibility: z.enum(['public', 'private', 'shared', 'community']),
  protected: z.boolean(),
  disk_format: z.string().nullable(),
  container_format: z.string().nullable(),
  size_bytes: z.int().nullable(),
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
  id: EXAMPLE_ID,
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
  id: EXAMPLE_ID,
  floating_ip_address: '203.0.113.7',
  floating_network_id: OTHER_ID,
  status: 'DOWN',
  port_id: null,
  fixed_ip_address: null,
  router_id: null,
};
const NET = { id: EXAMPLE_ID, name: 'private', admin_state_up: true, shared: false, external: false, mtu: 1450 };
const PLUG = {
  id: EXAMPLE_ID,
  name: '',
  network_id: OTHER_ID,
  status: 'DOWN',
  admin_state_up: true,
  mac_address: 'fa:16:3e:0c:4f:57',
  device_id: '',
  device_owner: '',
};
const ROUTES = { id: EXAMPLE_ID, name: 'edge', admin_state_up: true, enable_snat: true };
const DISK = {
  id: EXAMPLE_ID,
  name: 'debian-13',
  status: 'active',
  previous_status: 'saving',
  visibility: 'private',
  protected: false,
  disk_format: 'qcow2',
  container_format: 'bare',
  size_bytes: 412_090_368,
};
const HOST = {
  id: EXAMPLE_ID,
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
  id: EXAMPLE_ID,
  account_id: 'RegionOne.f0e1',
  number: null,
  month: '2026-11',
  total_micros: 8_640,
  currency: 'CNY',
};
const BALANCE = { account_id: 'RegionOne.f0e1', available_micros: 420, currency: 'CNY' };
const BUDGET = {
  id: EXAMPLE_ID,
  account_id: 'RegionOne.f0e1',
  name: 'all',
  percent: 80,
  spent_micros: 8_010,
  amount_micros: 10_000,
  currency: 'CNY',
};
const ALARM = {
  id: EXAMPLE_ID,
  name: 'egress',
  meter: 'public.egress.bytes',
  resource_id: OTHER_ID,
  comparison: 'gt',
  threshold: 1_000_000,
  value: 1_200_000,
};

const endpoint = z.object({
  id,
  description: z.string(),
  reason: z.enum(['asked', 'gone', 'failing']),
  failing_since: time.nullable(),
});
const OFF = { id: EXAMPLE_ID, description: 'orders', reason: 'failing', failing_since: TIME };

export const SERVER = { data: server, example: GUEST, scope: 'project' } as const;
export const FLOATING = { data: floatingIp, example: ADDRESS, scope: 'project' } as Shape<typeof floatingIp>;
export const NETWORK = { data: network, example: NET, scope: 'project' } as const;
export const PORT = { data: port, example: PLUG, scope: 'project' } as Shape<typeof port>;
export const ROUTER = { data: router, example: ROUTES, scope: 'project' } as const;
export const IMAGE = { data: image, example: DISK, scope: 'project' } as Shape<typeof image>;
export const RUNNER = { data: runner, example: HOST, scope: 'region' } as Shape<typeof runner>;
export const BOUGHT = { data: purchase, example: PURCHASE, scope: 'project' } as const;
export const BILL = { data: invoice, example: INVOICE, scope: 'project' } as Shape<typeof invoice>;
export const MONEY = { data: balance, example: BALANCE, scope: 'project' } as const;
export const STEP = {
  data: ladder,
  example: { ...BALANCE, available_micros: -30, delete_at: LATER },
  scope: 'project',
} as Shape<typeof ladder>;
export const SPENT = { data: budget, example: BUDGET, scope: 'project' } as const;
export const MEASURED = { data: alarm, example: ALARM, scope: 'project' } as const;
export const TEST = {
  data: z.object({ id, message: z.string() }),
  example: { id: EXAMPLE_ID, message: 'It works.' },
  scope: 'project',
} as const;
export const ENDPOINT = { data: endpoint, example: OFF, scope: 'project' } as Shape<typeof endpoint>;
