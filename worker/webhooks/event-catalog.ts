import { z } from 'zod';
import { EVENT_TYPE_NAMES, EVENT_TYPES, type EventTypeName } from '../../shared/event-types.ts';
import type { ActorContext } from '../http/context.ts';
import { authorize } from '../http/policy.ts';
import { ATTEMPT_TIMEOUT_MS, RETRY_DELAYS_MS } from './limits.ts';
import { eventView } from './payload.ts';
import { policy } from './policy.ts';

const dataSchema = (type: EventTypeName) => z.toJSONSchema(EVENT_TYPES[type].data);

/** An event of a type, as receivers get it. */
const exampleOf = (type: EventTypeName) =>
  eventView({
    ...{ sequence: 1, id: 'evt_5f1c2d3e4a5b4c6d8e9f0a1b2c3d4e5f', region: 'RegionOne', type, version: 1 },
    projectId: EVENT_TYPES[type].scope === 'region' ? null : '4f2d9c0a7b6e4d0f8a1c3b5e7d9f0a2b',
    resourceId: '0d3f7f0c-4f57-4b0e-8f0a-2f6f8f6d9a11',
    atMs: Date.UTC(2026, 10, 28, 9),
    data: EVENT_TYPES[type].example,
  });

/** Every type of event with its schema and an example. */
export function eventTypesView(ctx: ActorContext) {
  authorize(ctx, policy, 'webhooks:event-types:list');
  return EVENT_TYPE_NAMES.map((type) => {
    const { version, scope, summary } = EVENT_TYPES[type];
    return { type, schema_version: version, scope, summary, schema: dataSchema(type), example: exampleOf(type) };
  });
}

const HEADERS = [
  ['webhook-id', 'The event: the same however often it is sent. By it a receiver tells what it has seen.'],
  ['webhook-timestamp', 'When this attempt was made, in seconds since 1970.'],
  ['webhook-signature', 'One or more signatures, divided by spaces: `v1,` HMAC-SHA256, `v1a,` ed25519.'],
] as const;

function envelope(type: EventTypeName) {
  const { version } = EVENT_TYPES[type];
  const text = { type: 'string' };
  return {
    type: 'object',
    required: ['type', 'timestamp', 'data', 'region', 'project_id', 'resource_id', 'version', 'schema_version'],
    properties: {
      type: { const: type },
      timestamp: { ...text, format: 'date-time', description: 'When it happened.' },
      data: { $ref: `#/components/schemas/${type}.v${version}` },
      region: text,
      project_id: { type: ['string', 'null'] },
      resource_id: text,
      version: { type: 'integer', minimum: 1, description: 'Counts the events of the resource, without a gap.' },
      schema_version: { const: version },
    },
  };
}

function operation(type: EventTypeName) {
  const content = { 'application/json': { schema: envelope(type), example: exampleOf(type) } };
  return {
    post: {
      operationId: type,
      summary: EVENT_TYPES[type].summary,
      parameters: HEADERS.map(([name, description]) => ({
        ...{ name, in: 'header', required: true, description },
        schema: { type: 'string' },
      })),
      requestBody: { required: true, content },
      responses: {
        '2XX': { description: 'It was taken.' },
        '410': { description: 'No more of them: the endpoint is disabled.' },
        '429': { description: 'Not so fast: nothing more is sent before Retry-After.' },
        default: { description: 'It failed, and is tried again.' },
      },
    },
  };
}

/** What receivers are sent, as an OpenAPI document. */
export function openapi(ctx: ActorContext) {
  authorize(ctx, policy, 'webhooks:event-types:list');
  const retries = RETRY_DELAYS_MS.map((delayMs) => delayMs / 1000).join(', ');
  return {
    openapi: '3.1.0',
    info: {
      title: 'Aerostat webhooks',
      version: '1',
      description: `Standard Webhooks. An answer has ${ATTEMPT_TIMEOUT_MS / 1000} s. Attempts are this many seconds after one another: ${retries}.`,
    },
    webhooks: Object.fromEntries(EVENT_TYPE_NAMES.map((type) => [type, operation(type)])),
    components: {
      schemas: Object.fromEntries(
        EVENT_TYPE_NAMES.map((type) => [`${type}.v${EVENT_TYPES[type].version}`, dataSchema(type)]),
      ),
    },
  };
}
