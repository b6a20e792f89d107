/** What a statement's parameters are bound to, and what its rows hold. */
export type SqlValue = null | bigint | number | string | Uint8Array;

/** A statement as it was asked for; exactly one of `sql` and `sqlId` is set. */
export interface Stmt {
  sql: string | undefined;
  sqlId: number | undefined;
  args: SqlValue[];
  namedArgs: Map<string, SqlValue>;
  wantRows: boolean;
}

/** When a step of a batch is to run. */
export type Condition =
  | { type: 'ok'; step: number }
  | { type: 'error'; step: number }
  | { type: 'not'; cond: Condition }
  | { type: 'and'; conds: Condition[] }
  | { type: 'or'; conds: Condition[] }
  | { type: 'is_autocommit' };

export interface BatchStep {
  condition: Condition | undefined;
  stmt: Stmt;
}

/** A text given whole or by the id it was stored under. */
export interface SqlText {
  sql: string | undefined;
  sqlId: number | undefined;
}

export type StreamRequest =
  | { type: 'close' }
  | { type: 'execute'; stmt: Stmt }
  | { type: 'batch'; steps: BatchStep[] }
  | { type: 'sequence'; text: SqlText }
  | { type: 'describe'; text: SqlText }
  | { type: 'store_sql'; sqlId: number; sql: string }
  | { type: 'close_sql'; sqlId: number }
  | { type: 'get_autocommit' };

export interface PipelineRequest {
  baton: string | undefined;
  requests: StreamRequest[];
}
