import { z } from 'zod';
import { moveKey } from '../../../shared/specs/server.ts';
import { DriverError } from '../../driver.ts';
import { QmpError } from '../../host/qmp.ts';
import { pause } from '../../host/wait.ts';
import type { LiveGuest } from '../live-guest.ts';
import { CREDENTIALS } from './move-keys.ts';
import { EXPORT, host } from './receive-guest.ts';

export const sendArguments = z.object({
  move_id: z.string(),
  /** The epoch in which the guest is the other machine's. */
  epoch: z.int(),
  key: moveKey,
  address: z.union([z.ipv4(), z.ipv6()]),
  disk_port: z.int().min(1).max(65_535),
  memory_port: z.int().min(1).max(65_535),
  /** How long all of it may take. */
  limit_ms: z.int().min(1),
});
export type SendArguments = z.infer<typeof sendArguments>;

const POLL_MS = 50;
const PROGRESS_EVERY_MS = 1_000;
/** Nothing gets through for so long: the line is dead, whatever TCP says. */
const STALL_MS = 15_000;
/** The guest stands still meanwhile: sooner than this it goes on here instead. */
const SWITCH_MAX_MS = 10_000;
const CALL_OFF_MS = 20_000;
const JOB = 'move-disk';
const TARGET = 'move-target';

/** How far a move is, in Nova's names. */
export type MoveProgress = Record<`${'memory' | 'disk'}_${'total' | 'processed' | 'remaining'}_bytes`, number>;

interface Migration {
  status?: string;
  ram?: { total: number; transferred: number; remaining: number };
  'error-desc'?: string;
}
interface BlockJob {
  device: string;
  len: number;
  offset: number;
  ready: boolean;
}

export interface SendHooks {
  signal: AbortSignal;
  /** Whether the edge is there to say who goes on. */
  connected(): boolean;
  progress(progress: MoveProgress): void;
  /** Called with the guest standing still, before the other machine can have all of it. */
  handOver(): Promise<void>;
  /** Whether somebody wants the guest to stand still until it is over. */
  forced(): boolean;
}

/**
 * Sends a guest with its disk to another machine. When this returns it stands still here, and the other machine has all of
 * it; when this throws it goes on here, as it was.
 * @throws DriverError
 */
export async function sendGuest(
  live: LiveGuest,
  move: SendArguments,
  hooks: SendHooks,
  hasDisk: boolean,
): Promise<void> {
  const sender = new Sender(live, move, hooks, hasDisk);
  try {
    await sender.send();
  } catch (error) {
    if (await sender.callOff()) return;
    if (error instanceof QmpError) throw new DriverError(`The guest was not moved: ${error.message}`, { cause: error });
    throw error;
  }
}

class Sender {
  readonly #live: LiveGuest;
  readonly #move: SendArguments;
  readonly #hooks: SendHooks;
  readonly #hasDisk: boolean;
  readonly #endMs: number;
  #held = false;
  #told = Number.NEGATIVE_INFINITY;
  #moved = { sum: -1, at: performance.now() };

  constructor(live: LiveGuest, move: SendArguments, hooks: SendHooks, hasDisk: boolean) {
    this.#live = live;
    this.#move = move;
    this.#hooks = hooks;
    this.#hasDisk = hasDisk;
    this.#endMs = performance.now() + move.limit_ms;
  }

  async send(): Promise<void> {
    if (this.#hasDisk) await this.#mirrorDisk();
    await this.#sendMemory();
    if (!this.#hooks.connected())
      throw new DriverError('The control plane was away when the guest was to change hands');
    await this.#switchOver();
  }

  async #mirrorDisk(): Promise<void> {
    const { address, disk_port } = this.#move;
    const server = { type: 'inet', host: address, port: String(disk_port) };
    await this.#live.execute('blockdev-add', {
      'node-name': TARGET,
      driver: 'nbd',
      server,
      export: EXPORT,
      'tls-creds': CREDENTIALS,
    });
    const errors = { 'on-source-error': 'report', 'on-target-error': 'report' };
    await this.#live.execute('blockdev-mirror', {
      'job-id': JOB,
      device: 'root',
      target: TARGET,
      sync: 'top',
      ...errors,
    });
    await this.#until(async () => (await this.#job()).ready);
  }

  async #sendMemory(): Promise<void> {
    const { address, memory_port } = this.#move;
    const capabilities = ['pause-before-switchover', 'return-path', 'auto-converge', 'events'];
    await this.#live.execute('migrate-set-capabilities', {
      capabilities: capabilities.map((capability) => ({ capability, state: true })),
    });
    await this.#live.execute('migrate-set-parameters', { 'tls-creds': CREDENTIALS });
    await this.#live.execute('migrate', { uri: `tcp:${host(address)}:${memory_port}` });
    await this.#until(async () => {
      // One that is paused stands still already, and is not to go on should the move be called off.
      if (this.#hooks.forced() && !this.#held && (await this.#live.status()) === 'running') {
        this.#held = true;
        await this.#live.hold();
      }
      if (this.#hasDisk) await this.#job();
      return (await this.#migration()).status === 'pre-switchover';
    });
  }

  /** The guest stands still: the disk's copy is closed, then the rest of the memory goes. */
  async #switchOver(): Promise<void> {
    const deadline = performance.now() + SWITCH_MAX_MS;
    await this.#hooks.handOver();
    if (this.#hasDisk) {
      await this.#live.execute('block-job-cancel', { device: JOB });
      await this.#until(async () => (await this.#jobs()).length === 0, deadline);
      await this.#live.execute('blockdev-del', { 'node-name': TARGET });
    }
    await this.#live.execute('migrate-continue', { state: 'pre-switchover' });
    await this.#until(async () => (await this.#migration()).status === 'completed', deadline);
  }

  /** Waits for a condition, as long as something moves, nobody calls it off and there is time. */
  async #until(condition: () => Promise<boolean>, deadline = this.#endMs): Promise<void> {
    while (!(await condition())) {
      if (this.#hooks.signal.aborted) throw new DriverError('The move was called off', { code: 409 });
      const now = performance.now();
      if (now > deadline) throw new DriverError('The guest was not moved in the time it had', { code: 504 });
      if (now - this.#moved.at > STALL_MS)
        throw new DriverError('The other machine is not reached any more', { code: 504 });
      await pause(POLL_MS);
    }
  }

  async #jobs(): Promise<BlockJob[]> {
    return (await this.#live.execute<BlockJob[]>('query-block-jobs')).filter(({ device }) => device === JOB);
  }

  async #job(): Promise<BlockJob> {
    const [job] = await this.#jobs();
    if (!job) throw new DriverError("The copy of the guest's disk broke off");
    this.#note({ disk: job });
    return job;
  }

  async #migration(): Promise<Migration> {
    const now = await this.#live.execute<Migration>('query-migrate');
    if (now.status === 'failed' || now.status === 'cancelled') {
      throw new DriverError(`The guest was not moved: ${now['error-desc'] ?? 'the connection broke off'}`);
    }
    this.#note({ ram: now.ram });
    return now;
  }

  #disk = { len: 0, offset: 0 };
  #ram = { total: 0, transferred: 0, remaining: 0 };
  #note(seen: { disk?: BlockJob; ram?: Migration['ram'] | undefined }): void {
    this.#disk = seen.disk ?? this.#disk;
    this.#ram = seen.ram ?? this.#ram;
    const now = performance.now();
    const sum = this.#disk.offset + this.#ram.transferred;
    // A copy that is complete may have nothing to do.
    const idle = seen.disk?.ready === true && seen.disk.offset === seen.disk.len && this.#ram.total === 0;
    if (sum !== this.#moved.sum || idle) this.#moved = { sum, at: now };
    if (now - this.#told < PROGRESS_EVERY_MS) return;
    this.#told = now;
    this.#hooks.progress({
      memory_total_bytes: this.#ram.total,
      memory_processed_bytes: this.#ram.transferred,
      memory_remaining_bytes: this.#ram.remaining,
      disk_total_bytes: this.#disk.len,
      disk_processed_bytes: this.#disk.offset,
      disk_remaining_bytes: this.#disk.len - this.#disk.offset,
    });
  }

  /**
   * Leaves the guest running here, whatever was begun.
   * @returns whether it was too late: the other machine has all of it
   */
  async callOff(): Promise<boolean> {
    const completed = await callOffMove(this.#live);
    if (!completed && this.#held) await this.#live.execute('cont');
    return completed;
  }
}

/**
 * Ends what a move has begun in a guest's process, also one that an earlier process of the runner began. A dead line does
 * not hold it up.
 * @returns whether the guest had gone already
 */
export async function callOffMove(live: LiveGuest): Promise<boolean> {
  const end = performance.now() + CALL_OFF_MS;
  const status = async () => (await live.execute<Migration>('query-migrate')).status ?? 'none';
  let now = await status();
  if (now === 'completed' && (await live.status()) === 'postmigrate') return true;
  const instances = await live.execute<Yankable[]>('query-yank').catch(() => []);
  // Each by itself: of several, one that is gone meanwhile would keep the others from being torn off.
  for (const one of instances.filter(isOfMove)) await live.execute('yank', { instances: [one] }).catch(() => {});
  if (!OVER.has(now)) await live.execute('migrate_cancel');
  while (!OVER.has(now) && performance.now() < end) {
    await pause(POLL_MS);
    now = await status();
  }
  await live.execute('block-job-cancel', { device: JOB, force: true }).catch(() => {});
  while ((await live.execute<BlockJob[]>('query-block-jobs')).length > 0 && performance.now() < end)
    await pause(POLL_MS);
  await live.execute('blockdev-del', { 'node-name': TARGET }).catch(() => {});
  return now === 'completed' && (await live.status()) === 'postmigrate';
}

interface Yankable {
  type: string;
  'node-name'?: string;
}
const isOfMove = (one: Yankable) => one.type === 'migration' || one['node-name'] === TARGET;
const OVER: ReadonlySet<string> = new Set(['none', 'failed', 'cancelled', 'completed']);
