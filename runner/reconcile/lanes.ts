import { KINDS, type Kind } from '../../shared/specs/kinds.ts';
import type { Entry } from './entry.ts';

/** Calls of one kind at one time. */
export const CONCURRENCY_PER_KIND = 8;
/** Neighbors cost next to nothing when they go together. */
const CONCURRENT_NEIGHBORS = 512;

export interface LaneHandlers {
  /** The work of an entry; never rejects. */
  run(entry: Entry): Promise<void>;
  /** The work is over; what follows from it is added before anything else begins. */
  ended(entry: Entry): void;
  /** Nothing runs and nothing is queued. */
  idle(): void;
}

/** Runs what is ready: each entry once at a time, a few of each kind, the kinds in their order. */
export class Lanes {
  readonly #handlers: LaneHandlers;
  readonly #queues = new Map<Kind, Set<Entry>>(KINDS.map((kind) => [kind, new Set()]));
  readonly #running = new Map<Kind, number>(KINDS.map((kind) => [kind, 0]));
  readonly #runs = new Set<Promise<void>>();
  #pumpDue = false;
  #stopped = false;

  constructor(handlers: LaneHandlers) {
    this.#handlers = handlers;
  }

  get idle(): boolean {
    return this.#runs.size === 0 && !this.#pumpDue;
  }

  add(entry: Entry): void {
    this.#queueOf(entry.kind).add(entry);
  }

  remove(entry: Entry): void {
    this.#queueOf(entry.kind).delete(entry);
  }

  /** Starts what is ready, as far as there is room; in a turn of its own, so that a burst is seen whole. */
  pump(): void {
    if (this.#pumpDue || this.#stopped) return;
    this.#pumpDue = true;
    queueMicrotask(() => {
      this.#pumpDue = false;
      if (this.#stopped) return;
      for (const kind of KINDS) {
        for (const entry of this.#queueOf(kind)) {
          if ((this.#running.get(kind) ?? 0) >= (kind === 'neighbor' ? CONCURRENT_NEIGHBORS : CONCURRENCY_PER_KIND))
            break;
          this.#begin(entry);
        }
      }
      if (this.idle) this.#handlers.idle();
    });
  }

  /** Begins nothing more and waits for what runs. */
  async stop(): Promise<void> {
    this.#stopped = true;
    while (this.#runs.size > 0) await Promise.allSettled([...this.#runs]);
  }

  #begin(entry: Entry): void {
    this.remove(entry);
    entry.phase = 'running';
    this.#count(entry.kind, 1);
    const run = this.#handlers.run(entry).finally(() => {
      this.#runs.delete(run);
      this.#count(entry.kind, -1);
      this.#handlers.ended(entry);
      this.pump();
    });
    this.#runs.add(run);
  }

  #count(kind: Kind, change: number): void {
    this.#running.set(kind, (this.#running.get(kind) ?? 0) + change);
  }

  #queueOf(kind: Kind): Set<Entry> {
    return this.#queues.get(kind) as Set<Entry>;
  }
}
