import type { Clock } from '../../../shared/clock.ts';
import type { Ids } from '../../../shared/ids.ts';
import { SAMPLE_BATCHES_PER_MESSAGE_MAX } from '../../../shared/limits.ts';
import type { Sample, SampleBatch } from '../../../shared/protocol/messages.ts';
import type { Log } from '../../log.ts';
import { Store, StoreError } from '../../state/store.ts';
import { METERED_LENGTH_MAX, SPOOL_BYTES_MAX, SPOOL_DAYS_MAX } from './limits.ts';
import { splitSamples } from './split-samples.ts';
import { type Kept, SPOOL_FORMAT, SpoolRows } from './spool-rows.ts';
import { expire, thin } from './thin.ts';

const DAY_MS = 86_400_000;
/** Text of a batch beside its samples. */
const BATCH_LENGTH = 160;

export interface SpoolOptions {
  path: string;
  clock: Clock;
  ids: Ids;
  log: Log;
  bytesMax?: number;
  daysMax?: number;
  /** Whether what is kept outlasts a power cut; that of a simulated machine need not. */
  durability?: 'durable' | 'lazy';
}

/**
 * Samples that no edge has kept yet, on the disk. A batch gets its number when it is first sent, before it is: so what was
 * never sent can be thinned and numbers have no gaps, and what was sent is said again with the same words.
 */
export class Spool {
  readonly #o: SpoolOptions;
  #store: Store;
  #rows: SpoolRows;
  #id = '';
  /** The highest number that was given. */
  #sentSeq = 0;
  #bytes = 0;
  #batches = 0;
  /** The first row of this process. */
  #firstN = 1;

  /** Opens the file, or makes it; a damaged one is moved aside. @throws StoreError */
  constructor(options: SpoolOptions) {
    this.#o = options;
    this.#store = this.#open();
    this.#rows = new SpoolRows(this.#store);
    this.#begin();
  }

  #open(): Store {
    return Store.open(this.#o.path, SPOOL_FORMAT, this.#o.clock, this.#o.log);
  }

  #begin(): void {
    this.#rows = new SpoolRows(this.#store);
    const rows = this.#rows;
    this.#id = rows.meta('spool_id') ?? '';
    this.#sentSeq = Number(rows.meta('sent_seq') ?? 0);
    if (this.#id === '') this.#renew();
    this.#count();
    this.#firstN = rows.totals().lastN + 1;
  }

  /** New whenever what it held was lost. */
  get id(): string {
    return this.#id;
  }
  get batches(): number {
    return this.#batches;
  }
  get bytes(): number {
    return this.#bytes;
  }

  /** What the edge was last known to be ahead of the machine's clock. */
  get edgeAheadMs(): number {
    return Number(this.#safely(() => this.#rows.meta('edge_ahead_ms')) ?? 0);
  }
  set edgeAheadMs(aheadMs: number) {
    this.#write('lazy', (rows) => rows.setMeta('edge_ahead_ms', String(aheadMs)));
  }

  /**
   * Keeps the samples of a moment, in one transaction that is on the disk when this returns. What is too much or too old is
   * thinned; the newest never.
   * @throws StoreError, and then nothing of them is kept
   */
  append(atMs: number, bootId: string, samples: readonly Sample[]): void {
    const parts = splitSamples(samples);
    if (parts.length === 0) return;
    this.#write('durable', (rows) => {
      for (const part of parts) rows.add(atMs, bootId, part);
    });
    const { bytesMax = SPOOL_BYTES_MAX, daysMax = SPOOL_DAYS_MAX } = this.#o;
    const [oldest] = this.#safely(() => this.#rows.waiting(0, 1)) ?? [];
    const beforeMs = atMs - daysMax * DAY_MS;
    if (oldest && oldest.atMs < beforeMs) this.#write('lazy', (rows) => expire(rows, beforeMs));
    this.#count();
    if (this.#bytes > bytesMax) {
      const before = this.#batches;
      thin(this.#rows, bytesMax, (step) => this.#write('lazy', step));
      this.#count();
      this.#o.log.warn('spool-thinned', { batches: before, left: this.#batches, bytes: this.#bytes });
    }
  }

  /**
   * The oldest batches that are not acknowledged, as one message holds them, and no more than `batchesMax` that were not sent
   * before. Those get their numbers, on the disk, before this returns. @throws StoreError
   */
  next(batchesMax: number = SAMPLE_BATCHES_PER_MESSAGE_MAX): SampleBatch[] {
    const sent = this.#safely(() => this.#rows.sent()) ?? [];
    if (sent.length > 0) return sent.map(batchOf);
    const waiting = this.#safely(() => this.#rows.waiting(0, batchesMax)) ?? [];
    let length = 0;
    const fits = waiting.filter((row, index) => {
      length += row.length + BATCH_LENGTH;
      return index === 0 || length <= METERED_LENGTH_MAX;
    });
    if (fits.length === 0) return [];
    const seq = this.#sentSeq;
    this.#write('durable', (rows) => {
      for (const [index, { n }] of fits.entries()) rows.number(n, seq + 1 + index);
      rows.setMeta('sent_seq', String(seq + fits.length));
    });
    this.#sentSeq = seq + fits.length;
    return (this.#safely(() => this.#rows.sent()) ?? []).map(batchOf);
  }

  /**
   * The edge keeps all batches up to this one. What it says of another spool is old and counts for nothing; where it says more
   * than was sent, this file is an old copy whose numbers were used before, and goes on as a new spool.
   * @throws StoreError
   */
  acked(spoolId: string, seq: number): void {
    if (spoolId !== this.#id) return;
    if (seq > this.#sentSeq) {
      this.#o.log.error('spool-is-an-old-copy', {
        acknowledged: seq,
        sent: this.#sentSeq,
        next: 'sent as a new spool',
      });
      this.#renew();
      return;
    }
    this.#write('lazy', (rows) => rows.removeThrough(seq));
    const before = this.#batches;
    this.#count();
    if (this.#batches === 0 && before > 1) this.#write('lazy', (rows) => rows.shrink());
  }

  /** What this process noted before it knew the edge's time was off by so much. Nothing of it was sent. */
  moveTimes(byMs: number): void {
    this.#write('lazy', (rows) => rows.moveTimes(this.#firstN, byMs));
  }

  close(): void {
    this.#store.close();
  }

  /** Begins a new numbering: nobody has seen any of it. */
  #renew(): void {
    const id = this.#o.ids.uuid();
    this.#write('durable', (rows) => {
      rows.setMeta('spool_id', id);
      rows.setMeta('sent_seq', '0');
      rows.forgetNumbers();
    });
    this.#id = id;
    this.#sentSeq = 0;
  }

  #count(): void {
    const { batches, bytes } = this.#safely(() => this.#rows.totals()) ?? { batches: 0, bytes: 0 };
    this.#batches = batches;
    this.#bytes = bytes;
  }

  #write(durability: 'durable' | 'lazy', statements: (rows: SpoolRows) => void): void {
    const as = durability === 'durable' ? (this.#o.durability ?? 'durable') : 'lazy';
    this.#healing(() => this.#store.write(as, () => statements(this.#rows)));
  }

  #safely<T>(read: () => T): T | null {
    let result: T | null = null;
    this.#healing(() => {
      result = this.#store.read(read);
    });
    return result;
  }

  /** A file that is found to be damaged is begun anew. @throws StoreError */
  #healing(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (error instanceof StoreError && error.problem === 'corrupt') this.#beginAnew();
      throw error;
    }
  }

  #beginAnew(): void {
    try {
      this.#store.close();
    } catch {
      // It is damaged: what it says at its end does not matter.
    }
    this.#store = this.#open();
    this.#begin();
  }
}

const batchOf = ({ seq, atMs, bootId, samples }: Kept): SampleBatch => ({
  seq: seq ?? 0,
  at_ms: atMs,
  boot_id: bootId,
  samples,
});
