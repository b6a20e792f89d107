import { z } from 'zod';
import { OBJECTS_PER_MESSAGE_MAX, SAMPLE_BATCHES_PER_MESSAGE_MAX, SAMPLES_PER_BATCH_MAX } from '../limits.ts';
import { operationTarget } from '../specs/kinds.ts';
import { ipText, physicalNetwork } from '../specs/network.ts';

/** Base64url of raw bytes. */
const base64url = z
  .string()
  .regex(/^[A-Za-z0-9_-]+$/)
  .max(512);
const count = z.int().min(0);

export const fault = z.object({
  code: z.int(),
  message: z.string().max(1024),
  details: z.string().max(8192).optional(),
});
export type Fault = z.infer<typeof fault>;

export const capacity = z.object({ vcpus: count, memory_mib: count, disk_gib: count });
export type Capacity = z.infer<typeof capacity>;

/** One object of desired state. A tombstone (`deleted`) has a null spec and stays until its absence is reported. */
export const desiredObject = z.object({
  kind: z.string(),
  id: z.string().max(128),
  generation: count,
  digest: z.string(),
  deleted: z.boolean(),
  spec: z.unknown(),
});
export type DesiredObject = z.infer<typeof desiredObject>;

/**
 * What a runner sees of one object.
 * - `state`: `applied` (network kinds), `running`, `stopped`, `paused`, `suspended`, `failed`, `absent`, or `working` with
 *   progress.
 * - `cause` of a stop that nobody asked for: the guest shut itself down, or its process died.
 */
export const observation = z.object({
  kind: z.string(),
  id: z.string().max(128),
  generation: count,
  state: z.enum(['applied', 'running', 'stopped', 'paused', 'suspended', 'failed', 'absent', 'working']),
  cause: z.enum(['guest', 'crash']).optional(),
  fault: fault.optional(),
  detail: z.record(z.string(), z.unknown()).optional(),
});
export type Observation = z.infer<typeof observation>;

const fromEdge = {
  /** First word of the edge: sign this. */
  challenge: z.object({ type: z.literal('challenge'), nonce: base64url, session: z.string() }),
  welcome: z.object({
    type: z.literal('welcome'),
    session: z.string(),
    epoch: count,
    protocol: count,
    server_time_ms: count,
    heartbeat_s: count,
    /** Bearer for the runner's own HTTP calls (images), valid while this epoch is. */
    token: z.string(),
    /** The runner's generation at the edge when desired state was read. */
    generation: count,
  }),
  reject: z.object({
    type: z.literal('reject'),
    code: z.string(),
    message: z.string(),
    retry: z.boolean(),
    retry_after_s: count.optional(),
  }),
  /**
   * Desired state. `full`: whatever the runner holds and this series does not name is no longer wanted here.
   * A series ends with `complete`; nobody acts on an incomplete full view. `ledger_digest` is what the runner's ledger
   * must amount to after the series (see shared/ledger-digest.ts); where it does not, the runner asks to `resync`.
   */
  desired: z.object({
    type: z.literal('desired'),
    generation: count,
    full: z.boolean(),
    complete: z.boolean(),
    ledger_digest: z.string().optional(),
    objects: z.array(desiredObject).max(OBJECTS_PER_MESSAGE_MAX),
  }),
  operation: z.object({
    type: z.literal('operation'),
    op_id: z.string().max(64),
    kind: z.string().max(64),
    target_kind: operationTarget,
    target_id: z.string().max(128),
    /** The guest's epoch; an operation for another epoch is refused. 0 where the target is no guest. */
    target_epoch: count,
    attempt: count,
    deadline_ms: count,
    args: z.record(z.string(), z.unknown()),
  }),
  operation_ack: z.object({
    type: z.literal('operation-ack'),
    op_ids: z.array(z.string().max(64)).max(OBJECTS_PER_MESSAGE_MAX),
  }),
  /** A question without side effects; not journaled, not repeated. */
  query: z.object({
    type: z.literal('query'),
    query_id: z.string().max(64),
    kind: z.string().max(64),
    target_id: z.string().max(128),
    args: z.record(z.string(), z.unknown()),
  }),
  beat: z.object({ type: z.literal('beat'), server_time_ms: count, token: z.string().optional() }),
  /** Asks the runner to come back on a new session, after a random part of the time given. */
  reconnect: z.object({ type: z.literal('reconnect'), within_s: count, reason: z.string() }),
  /** Samples up to this one of a spool are kept for good: the runner may forget them. */
  metered_ack: z.object({ type: z.literal('metered-ack'), spool_id: z.string().max(64), seq: count }),
  /** Asks for a new key (see docs/protocol.md). */
  rotate: z.object({ type: z.literal('rotate') }),
};

/**
 * What was read of one resource at one moment. Counters are as they stand, never differences; they count from zero since
 * their epoch began, which is new whenever they do so again.
 */
export const sample = z.object({
  type: z.string().max(32),
  id: z.string().max(128),
  epoch: z.string().max(64),
  values: z.record(z.string().max(64), z.int()),
});
export type Sample = z.infer<typeof sample>;

/** All samples of one moment. Batches of a spool are numbered without gaps from 1. */
export const sampleBatch = z.object({
  seq: z.int().min(1),
  /** The edge's time as far as the runner knows it, else its own. */
  at_ms: count,
  boot_id: z.string().max(64),
  samples: z.array(sample).max(SAMPLES_PER_BATCH_MAX),
});
export type SampleBatch = z.infer<typeof sampleBatch>;

const fromRunner = {
  hello: z.object({
    type: z.literal('hello'),
    runner_id: z.string().max(64),
    /** Ed25519 over `aerostat-hello:v1:<nonce>:<runner_id>:<machine_id>:<boot_id>`. */
    signature: base64url,
    machine_id: z.string().max(128),
    boot_id: z.string().max(64),
    /** New at each start of the process. */
    process_id: z.string().max(64),
    version: z.string().max(64),
    protocol: z.tuple([count, count]),
    hypervisor: z.string().max(64),
    hostname: z.string().max(255),
    capacity,
    capabilities: z.array(z.string().max(64)).max(64),
    /** Where other machines' VXLAN packets reach it. */
    tunnel_ip: ipText.nullable().default(null),
    /** Networks of cables that it has an interface on, by name. */
    physical_networks: z.array(physicalNetwork).max(64).default([]),
    /** Highest generation that the ledger holds completely; 0 asks for everything. */
    generation: count,
    /** Digest of the ledger (see shared/ledger-digest.ts); another one at the same generation asks for a full read. */
    digest: z.string(),
    attempts: count,
  }),
  observed: z.object({
    type: z.literal('observed'),
    /** True in the last message of a report of everything the machine holds. */
    complete: z.boolean(),
    observations: z.array(observation).max(OBJECTS_PER_MESSAGE_MAX),
  }),
  operation_update: z.object({
    type: z.literal('operation-update'),
    op_id: z.string().max(64),
    state: z.enum(['accepted', 'done', 'failed']),
    fault: fault.optional(),
    result: z.record(z.string(), z.unknown()).optional(),
  }),
  answer: z.object({
    type: z.literal('answer'),
    query_id: z.string().max(64),
    ok: z.boolean(),
    fault: fault.optional(),
    result: z.unknown().optional(),
  }),
  heartbeat: z.object({
    type: z.literal('heartbeat'),
    generation: count,
    guests: count,
    capacity: capacity.optional(),
  }),
  /** What the machine holds and the ledger does not know. The edge lists it; an operator or a grace reaps it. */
  unknown: z.object({
    type: z.literal('unknown'),
    objects: z.array(z.object({ kind: z.string().max(32), id: z.string().max(128) })).max(OBJECTS_PER_MESSAGE_MAX),
  }),
  /** Asks for all of the desired state, because the ledger does not amount to what it should. */
  /** Oldest first; said again until acknowledged. The spool's id is new when what it held was lost. */
  metered: z.object({
    type: z.literal('metered'),
    spool_id: z.string().max(64),
    batches: z.array(sampleBatch).min(1).max(SAMPLE_BATCHES_PER_MESSAGE_MAX),
  }),
  resync: z.object({ type: z.literal('resync'), reason: z.string().max(256) }),
  /** The new key; the signature is the old key's, over `rotateText`. It counts once the edge has acknowledged the frame. */
  rotated: z.object({ type: z.literal('rotated'), public_key: base64url, signature: base64url }),
};

export const edgeMessage = z.discriminatedUnion('type', [
  fromEdge.challenge,
  fromEdge.welcome,
  fromEdge.reject,
  fromEdge.desired,
  fromEdge.operation,
  fromEdge.operation_ack,
  fromEdge.query,
  fromEdge.beat,
  fromEdge.reconnect,
  fromEdge.metered_ack,
  fromEdge.rotate,
]);
export type EdgeMessage = z.infer<typeof edgeMessage>;
export type MessageOf<T extends EdgeMessage['type']> = Extract<EdgeMessage, { type: T }>;

export const runnerMessage = z.discriminatedUnion('type', [
  fromRunner.hello,
  fromRunner.observed,
  fromRunner.operation_update,
  fromRunner.answer,
  fromRunner.heartbeat,
  fromRunner.unknown,
  fromRunner.metered,
  fromRunner.resync,
  fromRunner.rotated,
]);
export type RunnerMessage = z.infer<typeof runnerMessage>;
export type RunnerMessageOf<T extends RunnerMessage['type']> = Extract<RunnerMessage, { type: T }>;

/** The text that a runner signs to prove its key; bound to the edge's nonce and to the machine. */
export function helloText(hello: { nonce: string; runner_id: string; machine_id: string; boot_id: string }): string {
  return `aerostat-hello:v1:${hello.nonce}:${hello.runner_id}:${hello.machine_id}:${hello.boot_id}`;
}

/** The text that a runner signs with its old key to put a new one in its place; bound to the session by its nonce. */
export function rotateText(rotated: { nonce: string; runner_id: string; public_key: string }): string {
  return `aerostat-rotate:v1:${rotated.nonce}:${rotated.runner_id}:${rotated.public_key}`;
}
