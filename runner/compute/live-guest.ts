import { isAlive, type ProcessIdentity, signalProcess, waitGone } from '../host/processes.ts';
import { QmpClient, type QmpEvent } from '../host/qmp.ts';
import { until } from '../host/wait.ts';

/** QEMU closes its disks when it quits; a slow one may take a while. */
const QUIT_WAIT_MS = 15_000;
const KILL_WAIT_MS = 10_000;
/** Guests that miss the power button once, while they boot, get it again. */
const POWERDOWN_AGAIN_MS = 10_000;
const SHUTDOWN_POLL_MS = 100;

export type GuestStatus =
  | 'running'
  | 'prelaunch'
  | 'paused'
  | 'shutdown'
  | 'io-error'
  | 'internal-error'
  | 'guest-panicked'
  | 'inmigrate'
  | 'postmigrate';

/** A guest whose process lives, with our connection to its monitor. */
export class LiveGuest {
  readonly id: string;
  readonly process: ProcessIdentity;
  readonly #qmp: QmpClient;
  /** Set before we end it or turn it off ourselves: what follows is no news. */
  expected = false;
  /** On its way to another machine: that its processors stop is no news. */
  moving = false;

  private constructor(id: string, process: ProcessIdentity, qmp: QmpClient) {
    this.id = id;
    this.process = process;
    this.#qmp = qmp;
  }

  /**
   * Connects to the monitor of a process, waiting for it to be there.
   * @returns null when the process ended meanwhile
   * @throws when it lives and does not answer
   */
  static async connect(
    id: string,
    process: ProcessIdentity,
    monitor: string,
    timeout_ms: number,
  ): Promise<LiveGuest | null> {
    let failure: unknown = null;
    const qmp = await until(
      async () => {
        if (!(await isAlive(process))) return 'ended';
        return QmpClient.connect(monitor).catch((error: unknown) => {
          failure = error;
          return null;
        });
      },
      { timeout_ms },
    );
    if (qmp === 'ended') return null;
    if (qmp === null) throw new Error(`the guest's monitor does not answer: ${String(failure)}`, { cause: failure });
    return new LiveGuest(id, process, qmp);
  }

  /** Settles when the monitor is closed, mostly because the process ended. */
  get closed(): Promise<void> {
    return this.#qmp.closed;
  }

  onEvent(listener: (event: QmpEvent) => void): void {
    this.#qmp.onEvent(listener);
  }

  async status(): Promise<GuestStatus> {
    return (await this.#qmp.execute<{ status: GuestStatus }>('query-status')).status;
  }

  /** Lets the processors run. */
  async resume(): Promise<void> {
    await this.#qmp.execute('cont');
  }

  /** Has the processors stand still. */
  async hold(): Promise<void> {
    await this.#qmp.execute('stop');
  }

  /** Runs a monitor command. @throws QmpError */
  execute<T = unknown>(command: string, args: Record<string, unknown> = {}, timeout_ms?: number): Promise<T> {
    return this.#qmp.execute<T>(command, args, timeout_ms);
  }

  /** Starts the machine over without a new process. */
  async reset(): Promise<void> {
    await this.#qmp.execute('system_reset');
    if ((await this.status()) !== 'running') await this.resume();
  }

  /**
   * Presses the power button until the guest is off.
   * @returns false when it is not off in time
   */
  async powerDown(timeout_ms: number, signal?: AbortSignal): Promise<boolean> {
    let pressed_ms = Number.NEGATIVE_INFINITY;
    const off = await until(
      async () => {
        if ((await this.status()) === 'shutdown') return true;
        if (performance.now() - pressed_ms >= POWERDOWN_AGAIN_MS) {
          pressed_ms = performance.now();
          await this.#qmp.execute('system_powerdown');
        }
        return false;
      },
      { timeout_ms, every_ms: SHUTDOWN_POLL_MS, ...(signal ? { signal } : {}) },
    );
    return off === true;
  }

  /** Ends the process: by its monitor, or by force when that does not do. */
  async end(): Promise<void> {
    this.expected = true;
    await this.#qmp.execute('quit').catch(() => {});
    if (!(await waitGone(this.process, QUIT_WAIT_MS))) {
      await signalProcess(this.process, 'SIGKILL');
      if (!(await waitGone(this.process, KILL_WAIT_MS))) {
        throw new Error(`process ${this.process.pid} of guest ${this.id} does not end`);
      }
    }
    this.#qmp.close();
  }

  /** Lets go of the monitor; the guest runs on. */
  release(): void {
    this.expected = true;
    this.#qmp.close();
  }
}
