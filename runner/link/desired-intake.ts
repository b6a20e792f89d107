import type { Timers } from '../../shared/clock.ts';
import { OBJECTS_PER_MESSAGE_MAX } from '../../shared/limits.ts';
import type { DesiredObject, MessageOf, Observation, RunnerMessage } from '../../shared/protocol/messages.ts';
import { errorText, type Log } from '../log.ts';
import { StoreError } from '../state/store.ts';
import type { Ledger } from './ledger/ledger.ts';
import type { LedgerObject } from './ledger/ledger-object.ts';
import type { Refusal } from './ledger/plan-series.ts';

/** Objects of a series that may wait for its end. */
export const SERIES_OBJECTS_MAX = 200_000;
/** Characters of a fault's message. */
const FAULT_MAX = 1_024;
const RESYNC_MIN_MS = 1_000;
const RESYNC_MAX_MS = 60_000;

export interface IntakeOptions {
  ledger: Ledger;
  time: Timers;
  log: Log;
  send(message: RunnerMessage): number | null;
  /** These wishes are in the ledger now. `full` tells that everything was named. */
  accepted(changed: LedgerObject[], full: boolean): void;
  /** The file is damaged: only a new start helps. */
  corrupt(): void;
}

/** Puts series of desired state together and takes each into the ledger whole, or not at all. */
export class DesiredIntake {
  readonly #o: IntakeOptions;
  #series: { generation: number; full: boolean; objects: DesiredObject[] } | null = null;
  /** Something could not be taken in: only a full series puts that right. */
  #behind = false;
  #resyncs = 0;
  #cancelResync: (() => void) | null = null;

  constructor(options: IntakeOptions) {
    this.#o = options;
  }

  /** A new session: what was begun in an older one never ends. */
  reset(): void {
    this.#series = null;
    this.#behind = false;
    this.#resyncs = 0;
    this.stop();
  }

  stop(): void {
    this.#cancelResync?.();
    this.#cancelResync = null;
  }

  take(message: MessageOf<'desired'>): void {
    const { generation, full, complete } = message;
    if (this.#series?.generation !== generation || this.#series.full !== full)
      this.#series = { generation, full, objects: [] };
    const series = this.#series;
    series.objects.push(...message.objects);
    if (series.objects.length > SERIES_OBJECTS_MAX) {
      this.#series = null;
      this.#missed(`a series has more than ${SERIES_OBJECTS_MAX} objects`);
      return;
    }
    if (!complete) return;
    this.#series = null;
    if (this.#behind && !full) return;
    this.#accept(series, message.ledger_digest);
  }

  #accept(series: { generation: number; full: boolean; objects: DesiredObject[] }, digest: string | undefined): void {
    const { ledger, log } = this.#o;
    try {
      const plan = ledger.accept({ ...series, complete: true });
      if (!plan.accepted) {
        const { generation, full } = series;
        log.warn('desired-refused', { generation, full, held: ledger.generation, why: 'older than the ledger' });
        return;
      }
      this.#behind = false;
      this.#refused(plan.refusals);
      if (plan.puts.length > 0 || series.full) this.#o.accepted(plan.puts, series.full);
      if (digest !== undefined) void this.#compare(digest, series.generation);
      else this.#resyncs = 0;
    } catch (error) {
      if (error instanceof StoreError && error.problem === 'corrupt') {
        this.#o.corrupt();
        return;
      }
      log.error('ledger-write-failed', {
        what: 'desired state',
        generation: series.generation,
        error: errorText(error),
      });
      this.#notTaken(series.objects, errorText(error));
      this.#missed(errorText(error));
    }
  }

  /** Servers that are wanted and cannot be written down: whoever waits for them hears why. Removals are waited for. */
  #notTaken(objects: readonly DesiredObject[], why: string): void {
    const message = `The runner could not write down what it should hold: ${why}`.slice(0, FAULT_MAX);
    const servers = objects.filter(({ kind, id, generation, deleted }) => {
      return kind === 'server' && !deleted && this.#o.ledger.get(kind, id)?.generation !== generation;
    });
    const observations = servers.map(({ kind, id, generation }): Observation => {
      return { kind, id, generation, state: 'failed', fault: { code: 507, message } };
    });
    for (let at = 0; at < observations.length; at += OBJECTS_PER_MESSAGE_MAX) {
      const part = observations.slice(at, at + OBJECTS_PER_MESSAGE_MAX);
      this.#o.send({ type: 'observed', complete: false, observations: part });
    }
  }

  #missed(reason: string): void {
    this.#behind = true;
    this.#resync(reason);
  }

  #refused(refusals: readonly Refusal[]): void {
    const conflicts: Observation[] = [];
    for (const { object, reason } of refusals) {
      const { kind, id, generation } = object;
      this.#o.log.warn('object-refused', { kind, id, generation, reason });
      const message = `Generation ${generation} of ${kind} ${id} came with other content than before; it was not applied.`;
      if (reason === 'conflict')
        conflicts.push({ kind, id, generation, state: 'failed', fault: { code: 409, message } });
    }
    if (conflicts.length > 0) this.#o.send({ type: 'observed', complete: false, observations: conflicts });
  }

  async #compare(digest: string, generation: number): Promise<void> {
    const own = await this.#o.ledger.digest();
    if (own === digest || this.#o.ledger.generation !== generation) this.#resyncs = 0;
    else this.#resync('the ledger does not amount to what it should');
  }

  /** Asks for everything: at once the first time, then ever more seldom. */
  #resync(reason: string): void {
    if (this.#cancelResync) return;
    const delayMs = this.#resyncs === 0 ? 0 : Math.min(RESYNC_MAX_MS, RESYNC_MIN_MS * 2 ** (this.#resyncs - 1));
    this.#resyncs = Math.min(this.#resyncs + 1, 30);
    this.#cancelResync = this.#o.time.after(delayMs, () => {
      this.#cancelResync = null;
      this.#o.send({ type: 'resync', reason: reason.slice(0, 256) });
    });
  }
}
