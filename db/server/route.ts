import type { StatementKind } from './statement-kind.ts';
import type { KnownStatement } from './statements.ts';

/**
 * Where the work of a stream without an open transaction runs:
 * - read: on the shared connection for reads, at once
 * - group: on the writer, in a transaction shared with the work of other streams
 * - hold-reader, hold-writer: on a connection that stays the stream's as long as its transaction is open
 */
export type Route = 'read' | 'group' | 'hold-reader' | 'hold-writer';

const READING: readonly StatementKind[] = ['read', 'refused', 'begin', 'begin-readonly', 'commit', 'rollback'];

/** Choose by what the statements are; work that turns out not to end its own transaction is run again while held. */
export function routeOf(statements: readonly KnownStatement[]): Route {
  const kinds = new Set(statements.map(({ kind }) => kind));
  if (kinds.has('alone')) return 'hold-writer';
  const ends = kinds.has('commit') || kinds.has('rollback');
  // What writes in a transaction begun to read only is refused by the connection it runs on.
  if (statements[0]?.kind === 'begin-readonly') return ends ? 'read' : 'hold-reader';
  const begins = kinds.has('begin') || kinds.has('begin-immediate') || kinds.has('begin-readonly');
  if (begins && !ends) return 'hold-writer';
  const reads = statements.every(({ kind }) => READING.includes(kind));
  return reads ? 'read' : 'group';
}
