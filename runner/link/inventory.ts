import type { Timers } from '../../shared/clock.ts';
import { OBJECTS_PER_MESSAGE_MAX } from '../../shared/limits.ts';
import type { RunnerMessage } from '../../shared/protocol/messages.ts';
import { KINDS } from '../../shared/specs/kinds.ts';
import type { Drivers } from '../driver.ts';
import { errorText, type Log } from '../log.ts';
import type { Ledger } from './ledger/ledger.ts';

export const INVENTORY_EVERY_MS = 5 * 60_000;

/** Finds what is on the machine with our mark and not in the ledger. It is reported, never touched. */
export class Inventory {
  readonly #ledger: Ledger;
  readonly #drivers: Drivers;
  readonly #time: Timers;
  readonly #log: Log;
  readonly #send: (message: RunnerMessage) => number | null;
  /** What this session has told the edge; null before. */
  #told: string | null = null;
  #cancel: (() => void) | null = null;
  #looking = false;

  constructor(o: {
    ledger: Ledger;
    drivers: Drivers;
    time: Timers;
    log: Log;
    send: (message: RunnerMessage) => number | null;
  }) {
    this.#ledger = o.ledger;
    this.#drivers = o.drivers;
    this.#time = o.time;
    this.#log = o.log;
    this.#send = o.send;
  }

  /** A new session has heard nothing yet. */
  down(): void {
    this.#told = null;
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = null;
  }

  /** Looks now if this session was told nothing yet, and from then on every few minutes. */
  start(): void {
    if (this.#told === null) void this.look();
  }

  /** Looks, and tells the edge where it has something new to say. */
  async look(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    try {
      const unknown = await this.#unknown();
      const text = JSON.stringify(unknown);
      if (text !== this.#told && this.#send({ type: 'unknown', objects: unknown }) !== null) {
        this.#told = text;
        if (unknown.length > 0) this.#log.warn('unknown-objects', { count: unknown.length, first: unknown[0] });
      }
    } catch (error) {
      this.#log.error('inventory-failed', { error: errorText(error) });
    } finally {
      this.#looking = false;
      this.stop();
      this.#cancel = this.#time.after(INVENTORY_EVERY_MS, () => void this.look());
    }
  }

  async #unknown(): Promise<{ kind: string; id: string }[]> {
    const found: { kind: string; id: string }[] = [];
    for (const kind of KINDS) {
      for (const id of await this.#drivers[kind].list()) {
        if (!this.#ledger.get(kind, id)) found.push({ kind, id });
      }
    }
    return found.sort((a, b) => (`${a.kind}/${a.id}` < `${b.kind}/${b.id}` ? -1 : 1)).slice(0, OBJECTS_PER_MESSAGE_MAX);
  }
}
