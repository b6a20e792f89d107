import { expect, test } from 'vitest';
import { scanSql } from './scan-sql.ts';
import { type StatementKind, statementKind } from './statement-kind.ts';

const KINDS: [string, StatementKind][] = [
  ['SELECT 1', 'read'],
  ['  -- x\n/* y */ select 1', 'read'],
  ["VALUES ('INSERT')", 'read'],
  ['WITH a AS (SELECT "DELETE" FROM t) SELECT * FROM a', 'read'],
  ['WITH a AS (SELECT 1) INSERT INTO t SELECT * FROM a', 'write'],
  ["SELECT replace(a, 'x', 'y') FROM t", 'read'],
  ['explain query plan delete from t', 'read'],
  ['REPLACE INTO t VALUES (1)', 'write'],
  ['Begin', 'begin'],
  ['BEGIN DEFERRED TRANSACTION', 'begin'],
  ['BEGIN IMMEDIATE', 'begin-immediate'],
  ['BEGIN EXCLUSIVE', 'begin-immediate'],
  ['BEGIN TRANSACTION READONLY', 'begin-readonly'],
  ['COMMIT TRANSACTION', 'commit'],
  ['END', 'commit'],
  ['ROLLBACK', 'rollback'],
  ['ROLLBACK TRANSACTION TO SAVEPOINT x', 'alone'],
  ['SAVEPOINT x', 'alone'],
  ['RELEASE x', 'alone'],
  ['CREATE TABLE t (a)', 'schema'],
  ['CREATE TEMP TABLE t (a)', 'refused'],
  ['ALTER TABLE t ADD COLUMN b', 'schema'],
  ['DROP TABLE t', 'schema'],
  ['VACUUM', 'alone'],
  ["VACUUM main INTO 'x'", 'refused'],
  ["ATTACH 'x' AS y", 'refused'],
  ['PRAGMA table_info(t)', 'read'],
  ['PRAGMA main.table_info("t")', 'read'],
  ['PRAGMA foreign_keys', 'alone'],
  ['PRAGMA foreign_keys = off', 'alone'],
  ['PRAGMA journal_mode;', 'alone'],
  ['PRAGMA journal_mode = delete', 'refused'],
  ['PRAGMA journal_mode(delete)', 'refused'],
  ['PRAGMA /* x */ journal_mode = delete', 'refused'],
  ['PRAGMA temp_store_directory', 'refused'],
  ['nonsense', 'read'],
];

test.each(KINDS)('%s is %s', (sql, kind) => {
  expect(scanSql(sql).map(statementKind)).toStrictEqual([kind]);
});

const SPLITS: [string, number][] = [
  ['', 0],
  [' ;; -- x\n; /* ; */', 0],
  ['SELECT 1', 1],
  ['SELECT 1;', 1],
  ['SELECT 1; SELECT 2', 2],
  ["SELECT ';' || \";\" || `;` || [;]; SELECT 'it''s;'", 2],
  ["SELECT 'open; SELECT 2", 1],
  ['SELECT 1 /* open; SELECT 2', 1],
  ['SELECT 1 -- c; SELECT 2\n; SELECT 3', 2],
  ['CREATE TRIGGER x AFTER INSERT ON t BEGIN SELECT 1; SELECT CASE 1 WHEN 1 THEN 2 END; END; SELECT 1', 2],
  ['CREATE TEMP TRIGGER x AFTER INSERT ON t BEGIN SELECT 1; END', 1],
  ['CREATE TABLE trigger_like (a); SELECT 1', 2],
  ['BEGIN; SELECT 1; END; SELECT 2', 4],
];

test.each(SPLITS)('%j holds %i statements', (sql, count) => {
  expect(scanSql(sql).length).toBe(count);
});

test('long texts are scanned in linear time', () => {
  const quotes = `SELECT '${"''".repeat(200_000)}'`;
  const rows = Array.from({ length: 50_000 }, () => '(?, ?)').join();
  expect(scanSql(quotes).length).toBe(1);
  expect(scanSql(`INSERT INTO t VALUES ${rows.slice(0, 100_000)}`)[0]?.parameters.length).toBeGreaterThan(20_000);
  expect(scanSql(`/*${'*'.repeat(500_000)}`).length).toBe(0);
});
