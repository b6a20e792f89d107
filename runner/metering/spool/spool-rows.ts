import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { Sample } from '../../../shared/protocol/messages.ts';
import type { Store, StoreFormat } from '../../state/store.ts';
import type { Row } from './plan-thinning.ts';

export const SPOOL_FORMAT: StoreFormat = {
  name: 'spool',
  version: 1,
  afterDamage: 'samples that no edge has taken are lost; a new spool is begun',
  schema: `
PRAGMA auto_vacuum=INCREMENTAL;
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS batches (
  n INTEGER PRIMARY KEY AUTOINCREMENT, seq INTEGER, at_ms INTEGER NOT NULL, boot_id TEXT NOT NULL,
  length INTEGER NOT NULL, bytes INTEGER NOT NULL, body BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS batches_seq ON batches (seq) WHERE seq IS NOT NULL;
CREATE INDEX IF NOT EXISTS batches_bytes ON batches (bytes);
`,
};

/** What a row takes beside its body. */
const ROW_BYTES = 128;
/** Of zlib: samples are much alike, and there are many. */
const COMPRESSION = { level: 3 };
const PUT_META = 'INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value';

/** A batch as it is kept. It has its number only once it was first sent. */
export interface Kept extends Row {
  seq: number | null;
  bootId: string;
  samples: Sample[];
}

/** The statements of the spool's file. None begins a transaction: that is the spool's to do. */
export class SpoolRows {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  meta(key: string): string | null {
    const value = this.#all('SELECT value FROM meta WHERE key = ?', key)[0]?.value;
    return value === undefined ? null : String(value);
  }
  setMeta(key: string, value: string): void {
    this.#run(PUT_META, key, value);
  }

  /** @returns its number among rows, and the bytes it takes */
  add(atMs: number, bootId: string, samples: readonly Sample[]): number {
    const { body, length, bytes } = packed(samples);
    const sql = 'INSERT INTO batches (at_ms, boot_id, length, bytes, body) VALUES (?, ?, ?, ?, ?)';
    this.#run(sql, atMs, bootId, length, bytes, body);
    return bytes;
  }
  replace(n: number, samples: readonly Sample[]): void {
    const { body, length, bytes } = packed(samples);
    this.#run('UPDATE batches SET length = ?, bytes = ?, body = ? WHERE n = ?', length, bytes, body, n);
  }
  number(n: number, seq: number): void {
    this.#run('UPDATE batches SET seq = ? WHERE n = ?', seq, n);
  }
  remove(n: number): void {
    this.#run('DELETE FROM batches WHERE n = ?', n);
  }
  removeThrough(seq: number): void {
    this.#run('DELETE FROM batches WHERE seq <= ?', seq);
  }
  forgetNumbers(): void {
    this.#run('UPDATE batches SET seq = NULL WHERE seq IS NOT NULL');
  }
  moveTimes(fromN: number, byMs: number): void {
    this.#run('UPDATE batches SET at_ms = max(0, at_ms + ?) WHERE n >= ? AND seq IS NULL', byMs, fromN);
  }

  /** Batches that were sent and not acknowledged, in order. */
  sent(): Kept[] {
    return this.#all('SELECT * FROM batches WHERE seq IS NOT NULL ORDER BY seq').map(keptOf);
  }
  /** What was not sent yet, oldest first: where it is and how long its text. */
  waiting(afterN: number, limit: number): (Row & { length: number })[] {
    const sql = 'SELECT n, at_ms, length FROM batches WHERE seq IS NULL AND n >= ? ORDER BY n LIMIT ?';
    return this.#all(sql, afterN, limit).map((row) => ({
      n: Number(row.n),
      atMs: Number(row.at_ms),
      length: Number(row.length),
    }));
  }
  samplesOf(n: number): Sample[] {
    const row = this.#all('SELECT * FROM batches WHERE n = ?', n)[0];
    return row ? keptOf(row).samples : [];
  }
  totals(): { batches: number; bytes: number; lastN: number } {
    const row = this.#all('SELECT count(*) AS batches, sum(bytes) AS bytes, max(n) AS last FROM batches')[0];
    return { batches: Number(row?.batches ?? 0), bytes: Number(row?.bytes ?? 0), lastN: Number(row?.last ?? 0) };
  }
  /** Gives the disk back what removed rows took. */
  shrink(): void {
    this.#all('PRAGMA incremental_vacuum');
  }

  #run(sql: string, ...args: (string | number | Uint8Array)[]): void {
    this.#store.prepare(sql).run(args);
  }
  #all(sql: string, ...args: (string | number)[]): Record<string, unknown>[] {
    return this.#store.prepare(sql).all(args);
  }
}

function packed(samples: readonly Sample[]): { body: Buffer; length: number; bytes: number } {
  const text = JSON.stringify(samples);
  const body = deflateRawSync(text, COMPRESSION);
  return { body, length: text.length, bytes: body.length + ROW_BYTES };
}

function keptOf(row: Record<string, unknown>): Kept {
  return {
    n: Number(row.n),
    seq: row.seq === null ? null : Number(row.seq),
    atMs: Number(row.at_ms),
    bootId: String(row.boot_id),
    samples: JSON.parse(inflateRawSync(row.body as Uint8Array).toString('utf8')) as Sample[],
  };
}
