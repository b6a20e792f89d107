import type { Timers } from '../../shared/clock.ts';
import { CONSOLE_BYTES_MAX } from '../../shared/limits.ts';
import type { Capacity } from '../../shared/protocol/messages.ts';
import { KINDS, type Kind, type SpecOf } from '../../shared/specs/kinds.ts';
import type { ServerSpec } from '../../shared/specs/server.ts';
import { sendImage, type UploadImage } from '../compute/images/upload.ts';
import {
  type Driver,
  DriverError,
  type Drivers,
  type Machine,
  type Operator,
  type Outcome,
  type Wanted,
} from '../driver.ts';
import { machineUptime } from '../host/uptime.ts';
import type { Log } from '../log.ts';
import type { Collector } from '../metering/collector.ts';
import { emptyImage } from './empty-image.ts';
import { simulatedSamples } from './simulated-meters.ts';
import { handOver, seenOnItsWay, settleMove } from './simulated-moves.ts';
import { type Held, SimulatedStore } from './simulated-store.ts';

/** What a simulated machine offers where nothing else was asked for. */
export const SIMULATED_CAPACITY: Capacity = { vcpus: 256, memory_mib: 1024 * 1024, disk_gib: 64 * 1024 };

export interface SimulatedOptions {
  stateDir: string;
  bootId: string;
  time: Timers;
  log: Log;
  capacity?: Capacity;
  /** Where snapshots go; they are of an empty disk. */
  uploadImage?: UploadImage;
  physicalNetworks?: string[];
  /** From power on to a running guest. */
  bootDelayMs?: number;
}

type Operation = Parameters<Operator['run']>[0];

/**
 * A server's metadata item `simulate` makes its guest misbehave: `fail` does not start, `crash` dies once it runs,
 * `shutdown` powers itself off once it runs, `hang` never comes up.
 */
const SIMULATE = 'simulate';

/**
 * A machine that holds guests in memory only: everything of a runner but the hypervisor. For trying out, for tests and for
 * measuring what a control plane bears; it says that it is simulated wherever it can.
 */
export class SimulatedMachine implements Machine {
  readonly hypervisor = 'simulated';
  readonly capabilities = ['simulated', 'vlan'];
  /** An address that no machine has (RFC 5737): nothing is sent. */
  readonly tunnelIp = '192.0.2.1';
  readonly physicalNetworks: string[];
  readonly drivers: Drivers;
  readonly operator: Operator;
  readonly #o: SimulatedOptions;
  readonly #store: SimulatedStore;
  #listener: (kind: Kind, id: string) => void = () => {};

  constructor(options: SimulatedOptions) {
    this.#o = options;
    this.physicalNetworks = options.physicalNetworks ?? [];
    this.#store = new SimulatedStore(options.stateDir, options.bootId, options.time.nowMs());
    const plain = KINDS.map((kind) => [kind, this.#driver(kind)]);
    this.drivers = { ...(Object.fromEntries(plain) as unknown as Drivers), server: this.#serverDriver() };
    this.operator = {
      run: (operation, { signal }) => this.#run(operation, signal),
      query: (query) => this.#query(query),
    };
    options.log.warn('machine-simulated', {
      next: 'no guest of this runner exists; join without --hypervisor for real ones',
    });
  }

  capacity(): Promise<Capacity> {
    return Promise.resolve(this.#o.capacity ?? SIMULATED_CAPACITY);
  }

  collectors(runnerId: string): Collector[] {
    const { bootId, time } = this.#o;
    const collect = async () =>
      simulatedSamples({ held: this.#store.held.values(), bootId, runnerId, nowMs: time.nowMs() });
    return [{ name: 'simulated', collect }];
  }

  /** Nothing here waits for it. */
  acknowledged(): void {}

  onChange(listener: (kind: Kind, id: string) => void): void {
    this.#listener = listener;
  }

  async close(): Promise<void> {
    this.#listener = () => {};
  }

  /** What the machine holds, for tests: keys `kind/id`. */
  get held(): ReadonlyMap<string, Held> {
    return this.#store.held;
  }

  /** A guest ends by itself, as a crash of its process or as it powers itself off. */
  endGuest(id: string, cause: 'crash' | 'guest'): void {
    const guest = this.#guest(id);
    if (guest?.power !== 'on') return;
    const last = cause === 'crash' ? '[    1.000000] Kernel panic - not syncing: simulated\n' : 'reboot: Power down\n';
    this.#store.put({ ...guest, power: 'off', cause, console: said(guest, last) });
    this.#listener('server', id);
  }

  #guest(id: string): Held | undefined {
    return this.#store.held.get(`server/${id}`);
  }

  #driver<K extends Kind>(kind: K): Driver<K> {
    const applied: Outcome = { state: 'applied' };
    return {
      kind,
      apply: async (object: Wanted<K>) => {
        const spec = JSON.stringify(object.spec);
        const before = this.#store.held.get(`${kind}/${object.id}`);
        const sinceMs = before?.sinceMs ?? this.#o.time.nowMs();
        if (before?.spec !== spec) this.#store.put({ kind, id: object.id, spec, sinceMs });
        return applied;
      },
      remove: async (id: string) => this.#store.drop(kind, id),
      observe: async (id: string) => (this.#store.held.has(`${kind}/${id}`) ? applied : null),
      list: async () => [...this.#store.held.values()].filter((one) => one.kind === kind).map((one) => one.id),
    };
  }

  #serverDriver(): Driver<'server'> {
    return {
      ...this.#driver('server'),
      apply: (object, signal) => this.#applyServer(object, signal),
      observe: async (id) => outcomeOf(this.#guest(id)),
    };
  }

  async #applyServer({ id, spec }: Wanted<'server'>, signal: AbortSignal): Promise<Outcome> {
    const onItsWay = settleMove(this.#store, spec);
    if (onItsWay) return onItsWay;
    const before = this.#guest(id);
    const misbehaviour = spec.metadata.meta[SIMULATE];
    if (spec.power === 'on' && misbehaviour === 'fail')
      throw new DriverError('The guest was asked to fail.', { code: 422, details: 'metadata item simulate=fail' });
    const text = JSON.stringify(spec);
    const bootedAnew = isBooted(spec, before);
    if (spec.power === before?.power && !bootedAnew) {
      if (before.spec !== text) this.#store.put({ ...before, spec: text });
      return outcomeOf(this.#guest(id)) ?? { state: 'stopped' };
    }
    if (bootedAnew) await this.#boot(spec, misbehaviour === 'hang' ? Number.POSITIVE_INFINITY : 0, signal);
    const said = bootedAnew ? bootText(spec) : spec.power === 'off' ? 'reboot: Power down\n' : '';
    this.#store.put({
      kind: 'server',
      id,
      power: spec.power,
      spec: text,
      starts: (before?.starts ?? 0) + (bootedAnew ? 1 : 0),
      sinceMs: (bootedAnew ? undefined : before?.sinceMs) ?? this.#o.time.nowMs(),
      console: clip((before?.console ?? '') + said),
    });
    if (bootedAnew && (misbehaviour === 'crash' || misbehaviour === 'shutdown')) {
      this.#o.time.after(0, () => this.endGuest(id, misbehaviour === 'crash' ? 'crash' : 'guest'));
    }
    return outcomeOf(this.#guest(id)) ?? { state: 'stopped' };
  }

  /** Takes as long as a boot does. @throws DriverError when called off */
  #boot(spec: ServerSpec, extraMs: number, signal: AbortSignal): Promise<void> {
    const delayMs = (this.#o.bootDelayMs ?? 0) + extraMs;
    if (delayMs === 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const cancel = delayMs === Number.POSITIVE_INFINITY ? () => {} : this.#o.time.after(delayMs, resolve);
      const stop = () => {
        cancel();
        reject(new DriverError(`The start of server ${spec.id} was called off.`));
      };
      if (signal.aborted) stop();
      else signal.addEventListener('abort', stop, { once: true });
    });
  }

  async #run(operation: Operation, signal: AbortSignal): Promise<Record<string, unknown>> {
    if (operation.kind === 'snapshot') return this.#snapshot(operation, signal);
    if (operation.kind === 'send-guest' || operation.kind === 'send-disk') {
      handOver(this.#store, this.#existing(operation.targetId), operation.kind, Number(operation.args.epoch));
      return {};
    }
    if (operation.kind === 'cache-image' || operation.kind === 'clear-password') return {};
    if (operation.kind === 'crash-dump') return this.#interrupt(operation.targetId);
    if (operation.kind !== 'reboot')
      throw new DriverError(`A simulated machine cannot ${operation.kind} a server.`, { code: 501 });
    const guest = this.#existing(operation.targetId);
    const spec = JSON.parse(guest.spec) as ServerSpec;
    if (spec.power === 'off')
      throw new DriverError(`Server ${spec.id} is to be off: it cannot be rebooted.`, { code: 409 });
    const { cause: _over, ...rest } = guest;
    const console = said(guest, `reboot: Restarting system\n${bootText(spec)}`);
    this.#store.put({ ...rest, power: 'on', starts: (guest.starts ?? 0) + 1, console });
    return {};
  }

  async #snapshot({ targetId, args }: Operation, signal: AbortSignal): Promise<Record<string, unknown>> {
    this.#existing(targetId);
    const image = { id: String(args.image_id), data: emptyImage() };
    if (this.#o.uploadImage) await sendImage(this.#o.uploadImage, image, this.#o.log, signal);
    return {};
  }

  #interrupt(id: string): Record<string, unknown> {
    const guest = this.#existing(id);
    if (guest.power === 'off') throw new DriverError(`Server ${id} does not run.`, { code: 409 });
    this.#store.put({ ...guest, console: said(guest, 'Uhhuh. NMI received for unknown reason: simulated\n') });
    return {};
  }

  async #query(query: { kind: string; targetId: string; args: Record<string, unknown> }): Promise<unknown> {
    if (query.kind === 'denied') return { flows: [] };
    if (query.kind === 'uptime') return { uptime: machineUptime() };
    if (query.kind === 'force-move')
      throw new DriverError(`Server ${query.targetId} is not on its way.`, { code: 404 });
    if (query.kind === 'diagnostics') return diagnosticsOf(this.#existing(query.targetId));
    if (query.kind !== 'console')
      throw new DriverError(`A simulated machine cannot answer ${query.kind}.`, { code: 501 });
    const text = this.#existing(query.targetId).console ?? '';
    const lines = query.args.length_lines;
    if (typeof lines !== 'number' || lines < 0) return { output: text };
    return { output: lines === 0 ? '' : text.replace(/\n$/, '').split('\n').slice(-lines).join('\n') };
  }

  #existing(id: string): Held {
    const guest = this.#guest(id);
    if (!guest) throw new DriverError(`Server ${id} is not on this machine.`, { code: 404 });
    return guest;
  }
}

/** Whether a guest starts from its disk: one that was paused or suspended goes on instead, unless its disk is another now. */
function isBooted(spec: ServerSpec, before: Held | undefined): boolean {
  if (spec.power === 'off') return false;
  if (!before?.power || before.power === 'off') return spec.power !== 'suspended';
  const old = JSON.parse(before.spec) as ServerSpec;
  if (
    old.vcpus !== spec.vcpus ||
    old.memory_mib !== spec.memory_mib ||
    (old.old_disk !== 'restore' && spec.old_disk === 'restore')
  )
    return true;
  return old.disk_version !== spec.disk_version || JSON.stringify(old.rescue) !== JSON.stringify(spec.rescue);
}

/** A simulated guest has all parts and moves nothing. */
function diagnosticsOf(guest: Held) {
  const spec = JSON.parse(guest.spec) as ServerSpec;
  const still = { read_bytes: 0, read_requests: 0, write_bytes: 0, write_requests: 0, errors: 0 };
  return {
    cpus: Array.from({ length: spec.vcpus }, (_, id) => ({ id, time_ns: 0 })),
    disks: [{ name: 'vda', ...still }],
    nics: [],
    memory: { maximum_mib: spec.memory_mib, used_mib: 0 },
  };
}

const STATES = { on: 'running', paused: 'paused', suspended: 'suspended', off: 'stopped' } as const;

function outcomeOf(guest: Held | undefined): Outcome | null {
  if (!guest) return null;
  const onItsWay = seenOnItsWay(guest);
  if (onItsWay) return onItsWay;
  const state = STATES[guest.power ?? 'off'];
  if (state !== 'stopped') return { state };
  return { state: 'stopped', ...(guest.cause ? { cause: guest.cause } : {}) };
}

/** What a guest writes on its console as it comes up. */
function bootText(spec: SpecOf<'server'>): string {
  const { hostname, user_data: userData } = spec.metadata;
  const data =
    userData === null ? '' : `cloud-init: user data:\n${Buffer.from(userData, 'base64').toString('utf8').trimEnd()}\n`;
  return `Booting a simulated guest\n${data}\n${hostname} login: \n`;
}

const said = (guest: Held, text: string) => clip((guest.console ?? '') + text);
const clip = (text: string) => text.slice(-CONSOLE_BYTES_MAX);
