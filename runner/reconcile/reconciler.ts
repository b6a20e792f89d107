import type { Timers } from '../../shared/clock.ts';
import type { Fault } from '../../shared/protocol/messages.ts';
import type { Kind } from '../../shared/specs/kinds.ts';
import { type Driver, DriverError, type Drivers, type Outcome } from '../driver.ts';
import type { Finding, Ledger } from '../link/ledger/ledger.ts';
import { keyOf, type LedgerObject } from '../link/ledger/ledger-object.ts';
import type { Log } from '../log.ts';
import { type Entry, heldBefore, isKind, newEntry, setWish, type Task } from './entry.ts';
import { firstWork, workAfterLook } from './first-work.ts';
import { Holdings } from './holdings.ts';
import { Lanes } from './lanes.ts';
import { readiness } from './readiness.ts';
import { Recorder } from './recorder.ts';
import { NO_REFERENCES, unionOf } from './references.ts';
import { clipFault, faultOf, isLasting, REPORT_AFTER_ATTEMPTS, retryDelayMs, SERVER_ATTEMPTS_MAX } from './retry.ts';

/** Two objects that claim the same thing wait for each other no longer than this. */
export const CLAIM_WAIT_MS = 10_000;

export interface ReconcilerOptions {
  ledger: Ledger;
  drivers: Drivers;
  time: Timers;
  random: () => number;
  log: Log;
  /** Which boot of the machine this is. */
  bootId: string;
  /** New observations are in the ledger under these keys. */
  onNews(keys: string[]): void;
  /** Nothing runs and nothing could; what is left waits for a retry. */
  onIdle(): void;
}

/**
 * Makes the machine what the ledger says: one thing at a time for each object, objects in the order of what they need,
 * always the newest wish, until it is so.
 */
export class Reconciler {
  readonly #o: ReconcilerOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #holdings = new Holdings();
  readonly #recorder: Recorder;
  readonly #lanes: Lanes;
  /** Who wants to be looked at again when the object of a key changes. */
  readonly #waiting = new Map<string, Set<Entry>>();
  #stopped = false;

  constructor(options: ReconcilerOptions) {
    this.#o = options;
    this.#recorder = new Recorder(options.ledger, options.time, options.onNews);
    this.#lanes = new Lanes({
      run: (entry) => this.#run(entry),
      ended: (entry) => this.#ended(entry),
      idle: () => {
        // What was found must be in the ledger before anybody asks it for everything.
        this.#recorder.flush();
        options.onIdle();
      },
    });
  }

  /** Begins with what the ledger holds; the edge is not needed for it. */
  start(): void {
    for (const object of this.#o.ledger.objects.values()) {
      if (!isKind(object.kind)) this.#unknownKind(object);
      else this.#add(object, object.kind);
    }
    for (const entry of this.#entries.values()) {
      entry.work = firstWork(entry, this.#o.bootId);
      this.#holdings.set(entry, heldBefore(entry));
    }
    for (const entry of this.#entries.values()) this.#evaluate(entry);
    this.#lanes.pump();
  }

  /** Objects whose wish has changed in the ledger. */
  changed(objects: readonly LedgerObject[]): void {
    for (const object of objects) {
      if (!isKind(object.kind)) {
        this.#unknownKind(object);
        continue;
      }
      const entry = this.#entries.get(keyOf(object)) ?? this.#add(object, object.kind);
      const epoch = epochOf(entry);
      setWish(entry, object);
      entry.work = object.deleted ? 'remove' : 'apply';
      entry.abort?.abort();
      // What is done once is done for an epoch: in another it is refused, or called off.
      if (object.deleted || epochOf(entry) !== epoch) entry.taskAbort?.abort();
      this.#calm(entry);
    }
    for (const object of objects) {
      const entry = this.#entries.get(keyOf(object));
      if (entry) this.#evaluate(entry);
      this.#wake(keyOf(object));
    }
    this.#lanes.pump();
  }

  /** The machine says that an object changed by itself. */
  observe(kind: Kind, id: string): void {
    const entry = this.#entries.get(`${kind}/${id}`);
    if (!entry) return;
    entry.observeWanted = true;
    this.#evaluate(entry);
    this.#lanes.pump();
  }

  /** Nothing runs and nothing is about to; what is left waits for a retry. */
  get idle(): boolean {
    return this.#lanes.idle;
  }

  /** Runs an operation alone with its object, after whatever is under way. @returns false where there is no such object */
  enqueue(kind: string, id: string, task: Task): boolean {
    const entry = this.#entries.get(`${kind}/${id}`);
    if (!entry || entry.wish.deleted) return false;
    entry.tasks.push(task);
    this.#evaluate(entry);
    this.#lanes.pump();
    return true;
  }

  /** Begins nothing more, calls off what runs and waits for it. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const entry of this.#entries.values()) {
      entry.abort?.abort();
      entry.taskAbort?.abort();
      entry.cancelTimer?.();
    }
    await this.#lanes.stop();
    this.#recorder.flush();
  }

  #add(object: LedgerObject, kind: Kind): Entry {
    const entry = newEntry(object, kind);
    this.#entries.set(entry.key, entry);
    return entry;
  }

  #unknownKind(object: LedgerObject): void {
    const { kind, id, generation } = object;
    const fault = { code: 501, message: `This runner does not know objects of kind ${kind}: update it.` };
    this.#recorder.add({
      kind,
      id,
      observation: object.deleted
        ? { kind, id, generation, state: 'absent' }
        : { kind, id, generation, state: 'failed', fault },
    });
  }

  /** Ends a wait for time. */
  #calm(entry: Entry): void {
    entry.cancelTimer?.();
    entry.cancelTimer = null;
    if (entry.phase === 'backoff') entry.phase = 'idle';
  }

  /** Decides whether an entry that does not run can, must wait, or has nothing to do. */
  #evaluate(entry: Entry): void {
    if (this.#stopped || entry.phase === 'running' || entry.phase === 'backoff') return;
    this.#lanes.remove(entry);
    if (!hasWork(entry)) {
      entry.phase = 'idle';
      return;
    }
    const now = this.#o.time.nowMs();
    const tired = entry.claimsUntilMs !== null && now >= entry.claimsUntilMs;
    const ready = readiness(entry, this.#entries, this.#holdings, tired);
    entry.hopeless = (!ready.go && ready.fault !== undefined) || entry.attempts >= REPORT_AFTER_ATTEMPTS;
    if (ready.go) {
      entry.phase = 'queued';
      this.#lanes.add(entry);
      return;
    }
    entry.phase = 'waiting';
    const waiting = this.#waiting.get(ready.on);
    if (waiting) waiting.add(entry);
    else this.#waiting.set(ready.on, new Set([entry]));
    if (ready.claim && entry.claimsUntilMs === null) {
      entry.claimsUntilMs = now + CLAIM_WAIT_MS;
      this.#later(entry, CLAIM_WAIT_MS);
    }
    if (!ready.fault) return;
    this.#fail(entry, ready.fault, false);
    this.#wake(entry.key);
  }

  #wake(key: string): void {
    const waiting = this.#waiting.get(key);
    if (!waiting) return;
    this.#waiting.delete(key);
    for (const entry of waiting) {
      if (entry.phase === 'waiting') this.#evaluate(entry);
    }
  }

  #later(entry: Entry, delayMs: number): void {
    entry.cancelTimer?.();
    entry.cancelTimer = this.#o.time.after(delayMs, () => {
      this.#calm(entry);
      this.#evaluate(entry);
      this.#lanes.pump();
    });
  }

  #ended(entry: Entry): void {
    entry.abort = null;
    entry.taskAbort = null;
    if (entry.phase === 'running') entry.phase = 'idle';
    if (this.#entries.get(entry.key) === entry) this.#evaluate(entry);
    this.#wake(entry.key);
  }

  /** One call of the driver, or one operation. Never throws: a failure is concluded. */
  async #run(entry: Entry): Promise<void> {
    const { version, work } = entry;
    const abort = new AbortController();
    const task = work === null ? entry.tasks.shift() : undefined;
    if (task) {
      entry.taskAbort = abort;
      entry.observeWanted = true;
      return task.run(abort.signal).catch((error) => this.#o.log.error('operation-threw', { error: String(error) }));
    }
    entry.abort = abort;
    try {
      if (work === 'apply') this.#applied(entry, version, await this.#apply(entry, abort.signal));
      else if (work === 'remove') {
        await this.#driver(entry).remove(entry.id, entry.spec);
        this.#removed(entry, version);
      } else this.#looked(entry, version, await this.#observe(entry));
    } catch (error) {
      if (entry.version === version && !this.#stopped) this.#concludeFailure(entry, work, faultOf(error));
    }
  }

  #driver(entry: Entry): Driver<Kind> {
    return this.#o.drivers[entry.kind] as Driver<Kind>;
  }

  async #apply(entry: Entry, signal: AbortSignal): Promise<Outcome> {
    if (entry.specFault) throw new DriverError(entry.specFault.message, { code: entry.specFault.code });
    const spec = entry.spec as NonNullable<Entry['spec']>;
    const epoch = entry.kind === 'server' ? (spec as { epoch: number }).epoch : Number.POSITIVE_INFINITY;
    const seen = this.#o.ledger.epochSeen(entry.id);
    if (epoch < seen) {
      const message = `Epoch ${epoch} of the server is over: this machine has seen epoch ${seen}, so it may run elsewhere.`;
      throw new DriverError(message, { code: 409 });
    }
    this.#holdings.set(entry, unionOf(entry.held, entry.wanted));
    return this.#driver(entry).apply(
      { kind: entry.kind, id: entry.id, generation: entry.wish.generation, spec },
      signal,
    );
  }

  #applied(entry: Entry, version: number, outcome: Outcome): void {
    if (entry.version !== version || this.#stopped) return;
    if (outcome.state === 'failed') {
      const fault = outcome.fault ?? {
        code: 500,
        message: `The ${entry.kind} failed for a reason its driver did not give.`,
      };
      this.#concludeFailure(entry, 'apply', clipFault(fault), entry.kind === 'server');
      return;
    }
    this.#holdings.set(entry, entry.wanted);
    this.#done(entry);
    this.#record(entry, outcome, true);
  }

  #removed(entry: Entry, version: number): void {
    this.#holdings.set(entry, NO_REFERENCES);
    if (entry.version !== version || this.#stopped) return;
    this.#done(entry);
    this.#record(entry, { state: 'absent' }, true);
    this.#entries.delete(entry.key);
    for (const task of entry.tasks) task.gone();
  }

  /** What the driver sees of an object, without a change of it. */
  #observe(entry: Entry): Promise<Outcome | null> {
    entry.observeWanted = false;
    return this.#driver(entry).observe(entry.id);
  }

  #looked(entry: Entry, version: number, outcome: Outcome | null): void {
    if (entry.version !== version || this.#stopped) return;
    if (entry.work === 'look') {
      entry.work = workAfterLook(entry, outcome);
      if (entry.work === null && outcome) this.#record(entry, outcome, false);
      return;
    }
    entry.attempts = 0;
    if (outcome === null && entry.kind !== 'server') {
      entry.work = 'apply';
      return;
    }
    const seen: Outcome = outcome ?? { state: 'stopped', cause: 'crash' };
    // A guest that failed to start is not running either: its fault says more.
    if (seen.state === 'stopped' && entry.failure) return;
    this.#record(entry, seen, false);
  }

  #done(entry: Entry): void {
    entry.work = null;
    entry.attempts = 0;
    entry.failure = null;
    entry.claimsUntilMs = null;
  }

  #concludeFailure(entry: Entry, work: Entry['work'], fault: Fault, final = false): void {
    entry.attempts += 1;
    const { kind, id } = entry;
    this.#o.log.warn('reconcile-failed', { kind, id, work, attempt: entry.attempts, fault: fault.message });
    if (work === null) {
      this.#lookAgain(entry);
      return;
    }
    const last = final || isLasting(fault) || entry.attempts >= SERVER_ATTEMPTS_MAX;
    if (work === 'apply' && (entry.specFault || (kind === 'server' && last))) {
      entry.work = null;
      entry.hopeless = true;
      this.#fail(entry, fault, true);
      return;
    }
    entry.hopeless = entry.attempts >= REPORT_AFTER_ATTEMPTS;
    if (work === 'apply' ? kind !== 'server' : entry.hopeless) this.#fail(entry, fault, false);
    this.#retry(entry);
  }

  /** A look that failed is repeated a few times; the next change by itself brings another. */
  #lookAgain(entry: Entry): void {
    if (entry.attempts < REPORT_AFTER_ATTEMPTS) {
      entry.observeWanted = true;
      this.#retry(entry);
    } else entry.attempts = 0;
  }

  #retry(entry: Entry): void {
    entry.phase = 'backoff';
    this.#later(entry, retryDelayMs(entry.attempts, this.#o.random));
  }

  #fail(entry: Entry, fault: Fault, final: boolean): void {
    entry.failure = fault;
    this.#record(entry, { state: 'failed', fault }, final);
  }

  #record(entry: Entry, outcome: Outcome, applied: boolean): void {
    const { kind, id, wish } = entry;
    const fault = outcome.fault ? { fault: clipFault(outcome.fault) } : {};
    const observation = { kind, id, generation: wish.generation, ...outcome, ...fault };
    const finding: Finding = { kind, id, observation };
    if (applied) finding.applied = { generation: wish.generation, boot: this.#o.bootId };
    this.#recorder.add(finding);
  }
}

const epochOf = ({ spec }: Entry) => (spec as { epoch?: number } | null)?.epoch;
const hasWork = (entry: Entry) => entry.work !== null || entry.tasks.length > 0 || entry.observeWanted;
