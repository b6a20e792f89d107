import type { z } from 'zod';
import {
  BILL,
  BOUGHT,
  ENDPOINT,
  EXAMPLE_ID,
  FLOATING,
  IMAGE,
  MEASURED,
  MONEY,
  NETWORK,
  PORT,
  ROUTER,
  RUNNER,
  SERVER,
  type Shape,
  SPENT,
  STEP,
  TEST,
} from './event-data.ts';

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

const told = <T extends z.ZodType>(of: Shape<T>, summary: string, example: Partial<z.input<T>> = {}) => ({
  ...{ version: 1, summary, scope: of.scope, data: of.data },
  example: { ...(of.example as object), ...example } as z.input<T>,
});
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
  'floating_ip.associated': told(FLOATING, 'A floating IP leads to a port.', { port_id: EXAMPLE_ID }),
  'floating_ip.disassociated': told(FLOATING, 'A floating IP leads nowhere.'),
  'floating_ip.active': told(FLOATING, 'A floating IP is in force on its host.', {
    status: 'ACTIVE',
    port_id: EXAMPLE_ID,
  }),
  'floating_ip.down': told(FLOATING, 'A floating IP is no longer in force.'),
  'floating_ip.error': told(FLOATING, 'A floating IP could not be put in force.', {
    status: 'ERROR',
    port_id: EXAMPLE_ID,
  }),
  'floating_ip.deleted': told(FLOATING, 'A floating IP was given back.'),
  'network.created': told(NETWORK, 'A network was made.'),
  'network.updated': told(NETWORK, 'What is said of a network changed.'),
  'network.deleted': told(NETWORK, 'A network is gone.'),
  'port.created': told(PORT, 'A port was made, by a call or with a server or router.'),
  'port.updated': told(PORT, 'What is said of a port changed, or what it is plugged into.'),
  'port.active': told(PORT, 'A port is in force on its host.', { status: 'ACTIVE', device_id: EXAMPLE_ID }),
  'port.down': told(PORT, 'A port is no longer in force.'),
  'port.error': told(PORT, 'A port could not be put in force.', { status: 'ERROR', device_id: EXAMPLE_ID }),
  'port.deleted': told(PORT, 'A port is gone.'),
  'router.created': told(ROUTER, 'A router was made.'),
  'router.updated': told(ROUTER, 'What is said of a router changed: its gateway, interfaces and routes, too.'),
  'router.deleted': told(ROUTER, 'A router is gone.'),
  'image.created': told(IMAGE, 'An image was made; its data may be yet to come.', {
    status: 'queued',
    previous_status: null,
  }),
  'image.updated': told(IMAGE, 'Name, visibility, protection, properties or tags of an image changed.'),
  'image.active': told(IMAGE, 'An image can be used.'),
  'image.queued': told(IMAGE, 'Data of an image did not come whole, or was refused: it waits for some again.', {
    ...{ status: 'queued', previous_status: 'saving' },
  }),
  'image.deactivated': told(IMAGE, 'Data of an image is held back from all but administrators.', {
    ...{ status: 'deactivated', previous_status: 'active' },
  }),
  'image.deleted': told(IMAGE, 'An image is gone.', { status: 'deleted', previous_status: 'active' }),
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
  'webhook.test': told(TEST, 'Somebody tried an endpoint: it is sent to that one alone, whatever its filters.'),
  'webhook.endpoint.disabled': told(
    ENDPOINT,
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
