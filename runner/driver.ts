import type { Capacity, Fault, Observation } from '../shared/protocol/messages.ts';
import type { Kind, SpecOf } from '../shared/specs/kinds.ts';
import type { Collector } from './metering/collector.ts';

/** What a driver found or made of one object; the reconciler adds kind, id and generation. */
export type Outcome = Pick<Observation, 'state' | 'cause' | 'fault' | 'detail'>;

/** An object as the drivers see it. */
export interface Wanted<K extends Kind> {
  kind: K;
  id: string;
  generation: number;
  spec: SpecOf<K>;
}

/**
 * Makes the machine agree with objects of one kind. The reconciler never runs two calls for one object at a time.
 * Every call is idempotent: it looks first, then does what is missing.
 */
export interface Driver<K extends Kind> {
  kind: K;
  /** Makes it so. A failure is an outcome `failed` with a fault, or an error thrown, which becomes one. */
  apply(object: Wanted<K>, signal: AbortSignal): Promise<Outcome>;
  /** Removes it and everything made for it; removing what is not there is fine. `last` is the last spec known. */
  remove(id: string, last: SpecOf<K> | null): Promise<void>;
  /** Looks at an object without changing anything; null where the machine has none. */
  observe(id: string): Promise<Outcome | null>;
  /** Ids of everything of this kind on the machine that carries our mark. */
  list(): Promise<string[]>;
}
export type Drivers = { [K in Kind]: Driver<K> };

/** What an operation may ask and say while it runs. */
export interface OperationHooks {
  /** Calls it off. */
  signal: AbortSignal;
  /** Whether the edge is connected. */
  connected(): boolean;
  /** Tells the edge how far it is; of no account where nobody hears it. */
  progress(progress: Record<string, number>): void;
}

/** Runs what is not a state. `run` may be called again with the same op after a crash; it must not do harm twice. */
export interface Operator {
  run(
    operation: { kind: string; targetId: string; targetEpoch: number; args: Record<string, unknown> },
    hooks: OperationHooks,
  ): Promise<Record<string, unknown>>;
  /** Answers a question: `console` {length_lines: number | null} -> {output: string}, `denied` {project_id?} -> {flows}, `force-move` {} -> {}. */
  query(query: { kind: string; targetId: string; args: Record<string, unknown> }): Promise<unknown>;
}

/** A machine as the link sees it: QEMU and nftables, or the simulation of them. */
export interface Machine {
  hypervisor: 'qemu' | 'simulated';
  capabilities: string[];
  /** Where other machines' VXLAN packets reach it; null where there is no such address. */
  tunnelIp: string | null;
  /** Networks of cables that it has an interface on, by name. */
  physicalNetworks: string[];
  capacity(): Promise<Capacity>;
  drivers: Drivers;
  operator: Operator;
  /** What reads its meters; the machine itself is measured under the runner's id. */
  collectors(runnerId: string): Collector[];
  /** Calls back when an object changed by itself (a guest shut down or died). */
  onChange(listener: (kind: Kind, id: string) => void): void;
  /** Hears that the edge has stored an observation. */
  acknowledged(observation: Observation): void;
  /** Lets go of the machine: guests keep running. */
  close(): Promise<void>;
}

/** What a driver throws when it can say what went wrong; its fault goes to the client as it is. */
export class DriverError extends Error {
  readonly fault: Fault;
  constructor(message: string, options: { code?: number; details?: string; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.name = 'DriverError';
    this.fault = { code: options.code ?? 500, message, ...(options.details ? { details: options.details } : {}) };
  }
}
