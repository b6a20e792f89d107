import { HranaError } from './errors.ts';
import type { Limits } from './limits.ts';
import { encodeRow } from './values.ts';

/** What a statement returned; columns and rows are JSON texts already. */
export interface StatementResult {
  columns: string;
  rows: string;
  changes: number;
  lastInsertRowid: string | undefined;
}

/** How much the response to one request may still hold. */
export interface ResponseBudget {
  bytesLeft: number;
}

/** Gathers rows as JSON text, and stops at the limits. */
export class RowCollector {
  readonly #rows: string[] = [];
  readonly #budget: ResponseBudget;
  readonly #limits: Limits;
  readonly #wanted: boolean;

  constructor(budget: ResponseBudget, limits: Limits, wanted: boolean) {
    this.#budget = budget;
    this.#limits = limits;
    this.#wanted = wanted;
  }

  add(row: readonly unknown[]): void {
    if (!this.#wanted) return;
    const text = encodeRow(row);
    this.#budget.bytesLeft -= Buffer.byteLength(text) + 1;
    if (this.#rows.length >= this.#limits.rowsPerResultMax) {
      throw new HranaError(
        `Response is too large: at most ${this.#limits.rowsPerResultMax} rows`,
        'RESPONSE_TOO_LARGE',
      );
    }
    if (this.#budget.bytesLeft < 0) {
      throw new HranaError(`Response is too large: at most ${this.#limits.resultBytesMax} bytes`, 'RESPONSE_TOO_LARGE');
    }
    this.#rows.push(text);
  }

  finish(): string {
    return this.#rows.length === 0 ? '[]' : `[${this.#rows.join()}]`;
  }
}

/** The JSON text of Hrana's StmtResult. */
export function resultText({ columns, rows, changes, lastInsertRowid }: StatementResult): string {
  const rowid = lastInsertRowid === undefined ? 'null' : `"${lastInsertRowid}"`;
  return `{"cols":${columns},"rows":${rows},"affected_row_count":${changes},"last_insert_rowid":${rowid}}`;
}
