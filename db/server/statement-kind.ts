import type { ScannedStatement } from './scan-sql.ts';

/**
 * What a statement may do to the connection it runs on, which decides where it runs:
 * - read: never writes, may run on a connection that only reads
 * - write: changes rows; schema: changes the schema; both may share a transaction with others
 * - begin, begin-immediate, begin-readonly, commit, rollback: transaction control
 * - alone: needs the writer to itself (savepoints, settings, VACUUM)
 * - refused: reaches beyond the database, or outlives the stream that asked
 */
export type StatementKind =
  | 'read'
  | 'write'
  | 'schema'
  | 'begin'
  | 'begin-immediate'
  | 'begin-readonly'
  | 'commit'
  | 'rollback'
  | 'alone'
  | 'refused';

const PRAGMA = /^\s*PRAGMA\s+(?:main\s*\.\s*)?(\w+)\s*([=(]|;?\s*$)/i;

/** Pragmas that only look, whatever their argument. */
const PRAGMAS_READ = new Set([
  'collation_list',
  'compile_options',
  'database_list',
  'foreign_key_check',
  'foreign_key_list',
  'function_list',
  'index_info',
  'index_list',
  'index_xinfo',
  'integrity_check',
  'module_list',
  'pragma_list',
  'quick_check',
  'table_info',
  'table_list',
  'table_xinfo',
]);

/** Pragmas that look when they have no argument; the server keeps their setting itself. */
const PRAGMAS_READ_BARE = new Set([
  'auto_vacuum',
  'busy_timeout',
  'cache_size',
  'data_version',
  'encoding',
  'freelist_count',
  'journal_mode',
  'page_count',
  'page_size',
  'schema_version',
  'synchronous',
  'wal_autocheckpoint',
]);

/** Pragmas a client may set; what they change of the connection is put back when the stream lets go of it. */
const PRAGMAS_SET = new Set([
  'application_id',
  'defer_foreign_keys',
  'foreign_keys',
  'legacy_alter_table',
  'optimize',
  'user_version',
  'wal_checkpoint',
]);

function pragmaKind(sql: string): StatementKind {
  const match = PRAGMA.exec(sql);
  const name = match?.[1]?.toLowerCase();
  if (name === undefined) return 'refused';
  if (PRAGMAS_READ.has(name)) return 'read';
  const bare = match?.[2] !== '=' && match?.[2] !== '(';
  if (PRAGMAS_READ_BARE.has(name)) return bare ? 'alone' : 'refused';
  return PRAGMAS_SET.has(name) ? 'alone' : 'refused';
}

function beginKind(words: string[]): StatementKind {
  if (words.includes('READONLY')) return 'begin-readonly';
  if (words.includes('IMMEDIATE') || words.includes('EXCLUSIVE') || words.includes('CONCURRENT'))
    return 'begin-immediate';
  return 'begin';
}

/** Tell the kind of a scanned statement by its first words. What SQLite will not parse is a read: it fails anywhere. */
export function statementKind(statement: ScannedStatement): StatementKind {
  const [first, second] = statement.words;
  switch (first) {
    case 'WITH':
      return statement.writes ? 'write' : 'read';
    case 'INSERT':
    case 'REPLACE':
    case 'UPDATE':
    case 'DELETE':
      return 'write';
    case 'BEGIN':
      return beginKind(statement.words);
    case 'COMMIT':
    case 'END':
      return 'commit';
    case 'ROLLBACK':
      return statement.words.includes('TO') ? 'alone' : 'rollback';
    case 'CREATE':
      return second === 'TEMP' || second === 'TEMPORARY' ? 'refused' : 'schema';
    case 'DROP':
    case 'ALTER':
      return 'schema';
    case 'PRAGMA':
      return pragmaKind(statement.sql);
    case 'VACUUM':
      return statement.words.includes('INTO') ? 'refused' : 'alone';
    case 'SAVEPOINT':
    case 'RELEASE':
    case 'REINDEX':
    case 'ANALYZE':
      return 'alone';
    case 'ATTACH':
    case 'DETACH':
      return 'refused';
    default:
      return 'read';
  }
}
