import type { Database } from '../../../db/client.ts';
import { runBatch, type Statement } from '../../http/commit.ts';

/** Reads that are gathered from several places and run in one batch. */
export class Reads {
  readonly #statements: Statement[] = [];
  #results: unknown[] = [];

  /** Adds statements. @returns how to get their results, in order, once all have run */
  add(...statements: Statement[]): () => unknown[] {
    const from = this.#statements.length;
    this.#statements.push(...statements);
    return () => this.#results.slice(from, from + statements.length);
  }

  /** Runs them all in one round trip. */
  async run(db: Database): Promise<void> {
    this.#results = await runBatch(db, this.#statements);
  }
}

/** Values that were carried without their names, as a row again. The caller's select lists them in this order. */
export function nameValues<Row>(members: readonly string[], values: readonly unknown[]): Row {
  const row: Record<string, unknown> = {};
  for (let index = 0; index < values.length; index++) row[members[index] as string] = values[index];
  return row as Row;
}
