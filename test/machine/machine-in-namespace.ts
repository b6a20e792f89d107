import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Outcome } from '../../runner/driver.ts';
import { run } from '../../runner/host/run.ts';
import type { Fault, Sample } from '../../shared/protocol/messages.ts';
import type { Kind, SpecOf } from '../../shared/specs/kinds.ts';

export interface ServeOptions {
  stateDir: string;
  mark: string;
  /** Image files by id. */
  images: Record<string, string>;
  adminShell?: boolean;
  moveAddress?: string;
  tunnelAddress?: string;
  /** Interfaces by the names of the physical networks that they are on. */
  physicalNetworks?: Record<string, string>;
  powerdownGrace_ms?: number;
  bootId?: string;
  imageCacheBytesMax?: number;
  /** Takes everything down instead. */
  teardown?: boolean;
}

export interface Call {
  method:
    | 'apply'
    | 'remove'
    | 'observe'
    | 'list'
    | 'run'
    | 'query'
    | 'capacity'
    | 'collect'
    | 'kept'
    | 'faults'
    | 'close';
  kind: Kind;
  id: string;
  generation?: number;
  spec?: unknown;
  operation?: string;
  epoch?: number;
  args?: Record<string, unknown>;
}

/** A fault that the machine answered. */
export class MachineFault extends Error {
  readonly fault: Fault;
  constructor(fault: Fault) {
    super(`${fault.message} ${fault.details ?? ''}`);
    this.fault = fault;
  }
}

const CALL_TIMEOUT_MS = 120_000;

const SERVE = join(import.meta.dirname, 'serve-machine.ts');

/** The drivers of a process that has a network namespace for its machine. It can be killed as a runner can. */
export class MachineInNamespace {
  readonly capabilities: string[];
  /** Objects that changed by themselves, as `kind/id`, oldest first. */
  readonly changes: string[] = [];
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  #calls = 0;

  private constructor(child: ChildProcess, capabilities: string[]) {
    this.#child = child;
    this.capabilities = capabilities;
    child.once('exit', () => {
      for (const { reject } of this.#waiting.values()) reject(new Error('the machine process ended'));
      this.#waiting.clear();
    });
  }

  static open(netns: string, options: ServeOptions): Promise<MachineInNamespace> {
    const child = serve(netns, options);
    let errors = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      errors += chunk.toString();
      if (process.env.MACHINE_LOG) process.stderr.write(chunk);
    });
    return new Promise((resolve, reject) => {
      let machine: MachineInNamespace | undefined;
      child.once('exit', () => reject(new Error(`the machine did not open: ${errors}`)));
      if (!child.stdout) throw new Error('no output');
      createInterface({ input: child.stdout }).on('line', (line) => {
        const message = JSON.parse(line);
        if (message.ready) {
          machine = new MachineInNamespace(child, message.ready);
          resolve(machine);
        } else machine?.hear(message);
      });
    });
  }

  hear(message: { changed?: { kind: string; id: string }; call?: number; value?: unknown; error?: Fault }): void {
    if (message.changed) this.changes.push(`${message.changed.kind}/${message.changed.id}`);
    const waiting = this.#waiting.get(message.call ?? -1);
    this.#waiting.delete(message.call ?? -1);
    if (message.error) waiting?.reject(new MachineFault(message.error));
    else waiting?.resolve(message.value);
  }

  call<T>(call: Partial<Call> & Pick<Call, 'method'>): Promise<T> {
    const number = this.#calls++;
    return new Promise<T>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${call.method} took too long`)), CALL_TIMEOUT_MS);
      this.#waiting.set(number, {
        resolve: (value) => {
          clearTimeout(timer);
          resolve(value as T);
        },
        reject: (error) => {
          clearTimeout(timer);
          reject(error);
        },
      });
      this.#child.stdin?.write(`${JSON.stringify({ ...call, call: number })}\n`);
    });
  }

  apply<K extends Kind>(kind: K, id: string, spec: SpecOf<K>, generation = 1): Promise<Outcome> {
    return this.call({ method: 'apply', kind, id, spec, generation });
  }

  remove(kind: Kind, id: string): Promise<void> {
    return this.call({ method: 'remove', kind, id });
  }

  observe(kind: Kind, id: string): Promise<Outcome | null> {
    return this.call({ method: 'observe', kind, id });
  }

  /** What its collectors read now. */
  collect(): Promise<Sample[]> {
    return this.call({ method: 'collect' });
  }

  /** What was read last is on a disk. */
  kept(): Promise<void> {
    return this.call({ method: 'kept' });
  }

  /** Ends as a runner does that is told to. */
  async close(): Promise<void> {
    const ended = this.#ended();
    await this.call({ method: 'close' });
    await ended;
  }

  /** Ends as a runner does that crashes. */
  async kill(): Promise<void> {
    const ended = this.#ended();
    this.#child.kill('SIGKILL');
    await ended;
  }

  /** Does nothing while something is done, and goes on. */
  async whileStopped<T>(what: () => Promise<T>): Promise<T> {
    this.#child.kill('SIGSTOP');
    return what().finally(() => this.#child.kill('SIGCONT'));
  }

  #ended(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return Promise.resolve();
    return new Promise((resolve) => this.#child.once('exit', () => resolve()));
  }
}

/** `ip netns exec` becomes the program it runs, so a signal reaches that. */
function serve(netns: string, options: ServeOptions): ChildProcess {
  return spawn('ip', ['netns', 'exec', netns, process.execPath, SERVE, JSON.stringify(options)], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
}

/** Takes down everything of a mark in a namespace. */
export async function teardownIn(netns: string, options: ServeOptions): Promise<void> {
  const json = JSON.stringify({ ...options, teardown: true });
  await run('ip', ['netns', 'exec', netns, process.execPath, SERVE, json], { timeout_ms: CALL_TIMEOUT_MS });
}
