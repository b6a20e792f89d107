import { rm } from 'node:fs/promises';
import type { ServerSpec } from '../../shared/specs/server.ts';
import { DriverError } from '../driver.ts';
import { withFileLock } from '../host/file-lock.ts';
import { freeBytes, listFolder, makeFolder } from '../host/files.ts';
import { isAlive, terminate, waitGone } from '../host/processes.ts';
import { KeyedQueue } from '../host/wait.ts';
import { errorText } from '../log.ts';
import { removeTap } from '../network/taps.ts';
import { boundConsole } from './console.ts';
import type { ComputeContext } from './context.ts';
import { guestPaths, guestsFolder } from './guest-paths.ts';
import { findGuestProcess } from './guest-process.ts';
import { type GuestRecord, NEW_GUEST, readRecord, writeRecord } from './guest-record.ts';
import { interfacesOf, savedInterfaces, syncInterfaces } from './interfaces.ts';
import { LiveGuest } from './live-guest.ts';
import { forget, forgetOnDisk, loadGuest, saveGuest } from './saved-guest.ts';
import { launchGuest, limitGuest, prepareGuest } from './start-guest.ts';

/** A monitor that does not answer is another runner's. */
const ADOPT_WAIT_MS = 3_000;
/** After its monitor closed a process is gone at once, unless somebody else closed the monitor. */
const END_WAIT_MS = 2_000;
/** With less a guest that a full disk halted would halt again. */
const RESUME_FREE_BYTES_MIN = 64 * 1024 * 1024;

/** Whether a guest was given to another machine and not given back: nothing of it may run here. */
export const isHandedOver = (record: GuestRecord, spec: ServerSpec): boolean =>
  record.handed_over !== null && spec.epoch <= record.handed_over;

const sizeOf = ({ vcpus, memory_mib }: ServerSpec) => ({ vcpus, memory_mib });

/** The guests of one machine: which live, why others do not, and the steps from one to the other. */
export class Guests {
  readonly #ctx: ComputeContext;
  readonly #live = new Map<string, LiveGuest>();
  readonly #queue = new KeyedQueue();
  /** Told when a guest changed by itself. */
  onChange: (id: string) => void = () => {};
  /** Called before a guest's process is ended here, while it can still be read. */
  beforeEnd: (live: LiveGuest) => Promise<void> = async () => {};

  constructor(ctx: ComputeContext) {
    this.#ctx = ctx;
  }

  /** Runs a task for a guest when no other does. */
  alone<T>(id: string, task: () => Promise<T>): Promise<T> {
    return this.#queue.run(id, task);
  }

  async record(id: string): Promise<GuestRecord | null> {
    return readRecord(guestPaths(this.#ctx.stateDir, id).record);
  }

  async keep(id: string, record: GuestRecord): Promise<void> {
    await writeRecord(guestPaths(this.#ctx.stateDir, id).record, record);
  }

  /** Those that live, as far as this runner knows. */
  get living(): LiveGuest[] {
    return [...this.#live.values()];
  }

  /** Ids of the guests that have files here. */
  async list(): Promise<string[]> {
    return (await listFolder(guestsFolder(this.#ctx.stateDir))).filter((name) => /^[0-9a-f-]{36}$/.test(name));
  }

  /**
   * The guest as it lives, adopted when this runner did not start it; null when no process of it lives.
   * @throws DriverError when it lives and does not answer
   */
  async find(id: string): Promise<LiveGuest | null> {
    const known = this.#live.get(id);
    if (known && (await isAlive(known.process))) return known;
    this.#live.delete(id);
    const process = await findGuestProcess(this.#ctx, id, (await this.record(id))?.process);
    if (!process) return null;
    const { monitor } = guestPaths(this.#ctx.stateDir, id);
    const live = await LiveGuest.connect(id, process, monitor, ADOPT_WAIT_MS).catch((error: unknown) => {
      throw new DriverError(`The guest runs, but ${errorText(error)}`, { cause: error });
    });
    if (live) this.#watch(live);
    return live;
  }

  /**
   * Starts a guest that does not live, from its disk, or from its saved memory where the record has some.
   * @throws DriverError, also when the signal fires while its images come
   */
  async start(spec: ServerSpec, record: GuestRecord, signal: AbortSignal): Promise<void> {
    const paths = guestPaths(this.#ctx.stateDir, spec.id);
    if (record.image_sha256 !== null && record.image_sha256 !== spec.image.sha256) {
      throw new DriverError('The image of the server changed, and its disk was made from the old one', { code: 409 });
    }
    if (isHandedOver(record, spec)) {
      throw new DriverError('The server was given to another machine, where it may run', { code: 409 });
    }
    await makeFolder(paths.folder);
    const rescue_sha256 = spec.rescue?.image.sha256 ?? null;
    if (record.rescue_sha256 !== rescue_sha256) await rm(paths.rescueDisk, { force: true });
    const locked = await withFileLock(paths.lock, async () => {
      await prepareGuest(this.#ctx, spec, signal);
      if (await findGuestProcess(this.#ctx, spec.id)) throw new DriverError('The guest was started by another runner');
      const { interfaces, standIns } = record.saved
        ? await savedInterfaces(this.#ctx, record.saved, spec.ports)
        : { interfaces: await interfacesOf(this.#ctx, spec.ports), standIns: [] };
      const live = await launchGuest(this.#ctx, spec, { interfaces, saved: record.saved, waiting: false });
      const started = { process: live.process, boot_id: this.#ctx.bootId, down: null, image_sha256: spec.image.sha256 };
      const kept = { ...record, ...started, rescue_sha256, disk_version: spec.disk_version, size: sizeOf(spec) };
      await this.keep(spec.id, kept);
      this.#watch(live);
      if (record.saved) await this.#takeUp(live, kept);
      await this.letRun(spec, live);
      if (standIns.length === 0) return;
      await syncInterfaces(this.#ctx, live, spec.ports);
      for (const port of standIns) await removeTap(this.#ctx.names, port);
    });
    if (!locked) throw new DriverError('Another runner is starting the guest');
  }

  /**
   * Starts the process that waits for a guest from another machine; nothing of it runs. The guest must not live here.
   * @throws DriverError
   */
  async launchWaiting(spec: ServerSpec, record: GuestRecord, signal: AbortSignal): Promise<LiveGuest> {
    const paths = guestPaths(this.#ctx.stateDir, spec.id);
    await makeFolder(paths.folder);
    const launched = await withFileLock(paths.lock, async () => {
      await prepareGuest(this.#ctx, spec, signal);
      const interfaces = await interfacesOf(this.#ctx, spec.ports);
      const live = await launchGuest(this.#ctx, spec, { interfaces, saved: null, waiting: true });
      const started = { process: live.process, boot_id: this.#ctx.bootId, down: null, image_sha256: spec.image.sha256 };
      await this.keep(spec.id, { ...record, ...started, size: sizeOf(spec) });
      this.#watch(live);
      await limitGuest(this.#ctx, spec, live);
      return live;
    });
    if (!launched) throw new DriverError('Another runner is starting the guest');
    return launched.value;
  }

  /** Loads a guest's saved memory, once: from here on it may write to its disk. A process that cannot take it is ended. */
  async #takeUp(live: LiveGuest, record: GuestRecord): Promise<void> {
    try {
      await loadGuest(live);
    } catch (error) {
      await this.end(live);
      await this.keep(live.id, { ...record, process: null });
      throw error;
    }
    await this.keep(live.id, { ...record, saved: null });
    await forget(live);
  }

  /** Makes ready all that a guest's start will need, where it is not to be started now. @throws DriverError */
  async prepare(spec: ServerSpec, signal: AbortSignal): Promise<void> {
    await prepareGuest(this.#ctx, spec, signal);
  }

  /** Throws a guest's disk away, so that its next start makes a new one. The guest must not live. */
  async dropDisk(spec: ServerSpec, record: GuestRecord): Promise<GuestRecord> {
    const { folder, disk, oldDisk, base, kernel, ramdisk } = guestPaths(this.#ctx.stateDir, spec.id);
    for (const path of [disk, oldDisk, base, kernel, ramdisk]) await rm(path, { force: true });
    const { disk_version } = spec;
    const bare = {
      ...record,
      disk_version,
      image_sha256: null,
      saved: null,
      process: null,
      down: null,
      old_disk: false,
    };
    await makeFolder(folder);
    await this.keep(spec.id, bare);
    return bare;
  }

  /** Gives up a guest's saved memory: its next start is from its disk. */
  async dropSaved(id: string, record: GuestRecord): Promise<GuestRecord> {
    if (!record.saved) return record;
    await forgetOnDisk(guestPaths(this.#ctx.stateDir, id));
    return { ...record, saved: null };
  }

  /** Lets the processors of a guest run that stand still, under their limits. */
  async letRun(spec: ServerSpec, live: LiveGuest): Promise<void> {
    await limitGuest(this.#ctx, spec, live);
    await live.resume();
  }

  /**
   * Saves a guest's memory in its disk and ends its process.
   * @throws DriverError and it stands still, as its process was
   */
  async suspend(live: LiveGuest, record: GuestRecord, signal: AbortSignal): Promise<void> {
    const saved = await saveGuest(live, signal);
    await this.keep(live.id, { ...record, saved, process: null });
    await this.end(live);
  }

  /**
   * Turns a guest off: by its power button, and by force when that does not do in time.
   * @throws DriverError when the signal fires before it is off
   */
  async stop(live: LiveGuest, signal: AbortSignal): Promise<void> {
    live.expected = true;
    // One that stands still would not hear of it.
    if ((await live.status()) === 'paused') await live.resume();
    const off = await live.powerDown(this.#ctx.powerdownGrace_ms, signal);
    if (!off && signal.aborted) {
      live.expected = false;
      throw new DriverError('Turning the guest off was called off');
    }
    await this.end(live);
  }

  /** Pulls the plug. */
  async end(live: LiveGuest): Promise<void> {
    await this.beforeEnd(live);
    await live.end();
    this.#live.delete(live.id);
    await this.#ctx.cgroups.remove(live.id);
  }

  /** Ends a guest and deletes all it had. */
  async remove(id: string): Promise<void> {
    const live = await this.find(id).catch(() => null);
    if (live) await this.end(live);
    // One whose monitor does not answer has to go all the same.
    const process = await findGuestProcess(this.#ctx, id);
    if (process) await terminate(process);
    this.#live.delete(id);
    await this.#ctx.cgroups.remove(id);
    await rm(guestPaths(this.#ctx.stateDir, id).folder, { recursive: true, force: true });
  }

  /** Gives back what consoles took beyond their bounds. */
  async boundConsoles(): Promise<void> {
    for (const id of this.#live.keys()) await boundConsole(guestPaths(this.#ctx.stateDir, id).console);
  }

  /** Lets guests go on that a full disk halted, once it has room again. */
  async resumeHalted(): Promise<void> {
    if (this.#live.size === 0 || (await freeBytes(this.#ctx.stateDir)) < RESUME_FREE_BYTES_MIN) return;
    for (const [id, live] of this.#live) {
      const wish = this.#ctx.inventory.servers.get(id)?.spec.power;
      if (live.expected || wish !== 'on' || (await live.status().catch(() => null)) !== 'io-error') continue;
      this.#ctx.log.info('guest-resumed', { guest: id, reason: 'its disk has room again' });
      await live.resume();
    }
  }

  /** Lets go of every guest; they run on. */
  release(): void {
    for (const live of this.#live.values()) live.release();
    this.#live.clear();
  }

  #watch(live: LiveGuest): void {
    this.#live.set(live.id, live);
    live.onEvent((event) => {
      if (live.expected) return;
      if (event.event === 'SHUTDOWN' && event.data.guest === true) this.#later(live.id, () => this.#wentOff(live));
      if (!live.moving && (event.event === 'STOP' || event.event === 'RESUME')) this.onChange(live.id);
    });
    live.closed.then(() => {
      if (!live.expected) this.#later(live.id, () => this.#died(live));
    });
  }

  #later(id: string, task: () => Promise<void>): void {
    this.alone(id, task).catch((error: unknown) => {
      this.#ctx.log.error('guest-change-failed', { guest: id, error: errorText(error) });
    });
  }

  /** The guest shut itself down: its process waits to be ended. */
  async #wentOff(live: LiveGuest): Promise<void> {
    if (live.expected || (await live.status().catch(() => null)) !== 'shutdown') return;
    await this.end(live);
    await this.recordDown(live.id, 'guest');
    this.onChange(live.id);
  }

  async #died(live: LiveGuest): Promise<void> {
    if (live.expected || this.#live.get(live.id) !== live) return;
    this.#live.delete(live.id);
    if (!(await waitGone(live.process, END_WAIT_MS))) {
      this.#ctx.log.warn('monitor-lost', { guest: live.id });
      await this.find(live.id);
      return;
    }
    this.#ctx.log.error('guest-died', { guest: live.id });
    await this.recordDown(live.id, 'crash');
    await this.#ctx.cgroups.remove(live.id);
    this.onChange(live.id);
  }

  /** Has a look at a guest that ended, or may have, while its end was expected. */
  async lookAfter(live: LiveGuest): Promise<void> {
    live.expected = false;
    if (!(await isAlive(live.process))) await this.#died(live);
  }

  /** Remembers why a guest is down, so that only a newer wish starts it again. */
  async recordDown(id: string, cause: 'guest' | 'crash'): Promise<GuestRecord> {
    const record = (await this.record(id)) ?? NEW_GUEST;
    const down = { ...record, process: null, down: { cause, generation: record.generation } };
    await this.keep(id, down);
    return down;
  }
}
