import { Lru } from '../../shared/lru.ts';
import { bindArguments } from './bind-arguments.ts';
import { HranaError } from './errors.ts';
import { BUSY_TIMEOUT_MS, type Limits, WAL_AUTOCHECKPOINT_PAGES, WAL_SIZE_BYTES_MAX } from './limits.ts';
import { execInBackground, type NativeDatabase, type NativeStatement, openNative } from './native.ts';
import type { SqlValue } from './protocol.ts';
import { type ResponseBudget, RowCollector, type StatementResult } from './results.ts';
import type { BoundStatement, KnownStatement } from './statements.ts';

/** A prepared statement with what is asked of it at every run. */
interface PreparedStatement {
  native: NativeStatement;
  reader: boolean;
  columns: string | undefined;
}

const LAST_CHANGE = 'SELECT changes(), last_insert_rowid()';
const INSERTING_WORDS = new Set(['INSERT', 'REPLACE', 'WITH']);

/** One connection to the file, with its prepared statements. */
export class Connection {
  readonly #native: NativeDatabase;
  readonly #prepared: Lru<string, PreparedStatement>;
  readonly #limits: Limits;
  #schemaTouched = false;
  /** Whether the schema may have changed since this was last cleared; who clears it tells the other connections. */
  schemaChanged = false;
  /** Whether a setting of the connection may have changed. */
  settingsTouched = false;

  constructor(path: string, role: 'writer' | 'reader', limits: Limits) {
    this.#limits = limits;
    this.#native = openNative(path, BUSY_TIMEOUT_MS);
    this.#prepared = new Lru(limits.cachedStatementsMax);
    if (role === 'writer') {
      this.exec('PRAGMA journal_mode = WAL');
      this.exec('PRAGMA synchronous = FULL');
      this.exec(`PRAGMA wal_autocheckpoint = ${WAL_AUTOCHECKPOINT_PAGES}`);
      this.exec(`PRAGMA journal_size_limit = ${WAL_SIZE_BYTES_MAX}`);
    } else {
      this.exec('PRAGMA query_only = ON');
    }
    this.restoreSettings();
  }

  get inTransaction(): boolean {
    return this.#native.inTransaction;
  }

  /** Run SQL of our own, without arguments or result. */
  exec(sql: string): void {
    this.#native.exec(sql);
  }

  /** Commit on a thread; nothing else may use the connection until it settles. */
  commitInBackground(): Promise<void> {
    return execInBackground(this.#native, 'COMMIT');
  }

  /** Put back what a client may have set with a PRAGMA. */
  restoreSettings(): void {
    this.exec('PRAGMA foreign_keys = ON; PRAGMA defer_foreign_keys = OFF; PRAGMA legacy_alter_table = OFF');
    this.settingsTouched = false;
  }

  /** Ask for the columns anew at every run, until the statements are forgotten. */
  distrustColumns(): void {
    this.#schemaTouched = true;
  }

  /** Forget every prepared statement: the schema they were made for is gone. */
  forgetStatements(): void {
    this.#prepared.clear();
    this.#schemaTouched = false;
  }

  close(): void {
    this.#prepared.clear();
    this.#native.close();
  }

  /** Run a statement and take its rows; throws HranaError or SQLite's own. */
  run(statement: BoundStatement, budget: ResponseBudget): StatementResult {
    const args = bindArguments(statement);
    if (statement.kind === 'schema') {
      this.schemaChanged = true;
      this.#schemaTouched = true;
    }
    if (statement.kind === 'alone') this.settingsTouched = true;
    const prepared = this.#prepare(statement);
    if (prepared.reader) {
      return statement.kind === 'write'
        ? this.#runReturning(prepared, statement, args, budget)
        : this.#query(prepared, statement, args, budget);
    }
    const { changes, lastInsertRowid } = prepared.native.run(args);
    if (!inserts(statement)) return { columns: '[]', rows: '[]', changes, lastInsertRowid: undefined };
    const rowid = Number.isSafeInteger(lastInsertRowid) ? String(lastInsertRowid) : this.#lastChange().rowid;
    return { columns: '[]', rows: '[]', changes, lastInsertRowid: rowid };
  }

  /** What a statement would return, as the JSON text of Hrana's columns; nothing is run. */
  describe(statement: KnownStatement): { name: string; decltype: string | null }[] {
    const { native, reader } = this.#prepare(statement);
    return reader ? native.columns().map(({ name, type }) => ({ name, decltype: type })) : [];
  }

  #prepare(statement: KnownStatement): PreparedStatement {
    const known = this.#prepared.get(statement.sql);
    if (known !== undefined) return known;
    const native = this.#native.prepare(statement.sql);
    const { reader } = native;
    if (reader) native.raw();
    const prepared = { native, reader, columns: undefined };
    if (statement.sql.length <= this.#limits.cachedStatementBytesMax) this.#prepared.set(statement.sql, prepared);
    return prepared;
  }

  #query(
    prepared: PreparedStatement,
    statement: BoundStatement,
    args: SqlValue[],
    budget: ResponseBudget,
  ): StatementResult {
    const collector = new RowCollector(budget, this.#limits, statement.request.wantRows);
    const rows = prepared.native.iterate(args)[Symbol.iterator]();
    try {
      for (let row = rows.next(); row.done !== true; row = rows.next()) collector.add(row.value);
    } catch (error) {
      if (error instanceof HranaError) abandon(prepared, statement, rows, args);
      throw error;
    }
    // Its last row does not end it, as that of others does.
    if (statement.words[0] === 'EXPLAIN') abandon(prepared, statement, rows, args);
    // Asked only now: SQLite compiles a kept statement anew at its first step if the schema has changed.
    const columns = this.#columns(prepared);
    return { columns, rows: collector.finish(), changes: 0, lastInsertRowid: undefined };
  }

  // All changes are made before the first row is returned, so a result over a limit has to be taken back.
  #runReturning(
    prepared: PreparedStatement,
    statement: BoundStatement,
    args: SqlValue[],
    budget: ResponseBudget,
  ): StatementResult {
    this.exec('SAVEPOINT returned_rows');
    try {
      const result = this.#query(prepared, statement, args, budget);
      const { changes, rowid } = this.#lastChange();
      this.exec('RELEASE returned_rows');
      return { ...result, changes, lastInsertRowid: inserts(statement) ? rowid : undefined };
    } catch (error) {
      if (this.inTransaction) this.exec('ROLLBACK TO returned_rows; RELEASE returned_rows');
      throw error;
    }
  }

  #lastChange(): { changes: number; rowid: string } {
    const prepared = this.#prepare({ sql: LAST_CHANGE, kind: 'read', words: [], writes: false, parameters: [] });
    const [row] = prepared.native.iterate([]);
    return { changes: Number(row?.[0]), rowid: String(row?.[1]) };
  }

  #columns(prepared: PreparedStatement): string {
    if (prepared.columns !== undefined && !this.#schemaTouched) return prepared.columns;
    const columns = prepared.native.columns().map(({ name, type }) => ({ name, decltype: type }));
    prepared.columns = JSON.stringify(columns);
    return prepared.columns;
  }
}

function inserts(statement: KnownStatement): boolean {
  return INSERTING_WORDS.has(statement.words[0] ?? '') && statement.kind === 'write';
}

// A statement left in its middle would hold its snapshot, and the WAL could not be folded back. One that writes is read
// to its end, for that has no side effect any more; a query may be endless, and is stopped by the only call that resets.
function abandon(
  prepared: PreparedStatement,
  statement: BoundStatement,
  rows: Iterator<unknown[]>,
  args: SqlValue[],
): void {
  if (statement.kind === 'write') {
    while (rows.next().done !== true);
    return;
  }
  try {
    prepared.native.get(args);
  } catch (error) {
    // An error of its own has ended it as well.
    if (!(error instanceof Error)) throw error;
  }
}
