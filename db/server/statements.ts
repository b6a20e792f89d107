import { Lru } from '../../shared/lru.ts';
import { HranaError } from './errors.ts';
import type { Limits } from './limits.ts';
import type { Stmt } from './protocol.ts';
import { type ScannedStatement, scanSql } from './scan-sql.ts';
import { type StatementKind, statementKind } from './statement-kind.ts';

/** A statement known by its text: what it is, before any connection has seen it. */
export interface KnownStatement extends ScannedStatement {
  kind: StatementKind;
}

/** A known statement with what this request binds to it. */
export interface BoundStatement extends KnownStatement {
  request: Pick<Stmt, 'args' | 'namedArgs' | 'wantRows'>;
}

/** Scans texts, and remembers those that come again. */
export class StatementCatalogue {
  readonly #known: Lru<string, KnownStatement[]>;
  readonly #limits: Limits;

  constructor(limits: Limits) {
    this.#known = new Lru(limits.cachedStatementsMax);
    this.#limits = limits;
  }

  /** Every statement of a text, none if it holds only comments. */
  all(sql: string): KnownStatement[] {
    const known = this.#known.get(sql);
    if (known !== undefined) return known;
    const statements = scanSql(sql).map((scanned) => ({ ...scanned, kind: statementKind(scanned) }));
    if (sql.length <= this.#limits.cachedStatementBytesMax) this.#known.set(sql, statements);
    return statements;
  }

  /** The only statement of a text; throws if there is none, or more than the one that would be run. */
  only(sql: string): KnownStatement {
    const [statement, another] = this.all(sql);
    if (statement === undefined) throw new HranaError('SQL string does not contain any statement', 'SQL_NO_STATEMENT');
    if (another !== undefined)
      throw new HranaError('SQL string contains more than one statement', 'SQL_MANY_STATEMENTS');
    return statement;
  }
}
