import { existsSync, readFileSync } from 'node:fs';
import Database from 'libsql';
import type { LinkStatus } from '../link/link.ts';
import { readIdentity } from '../state/identity.ts';
import { holderOf, isLocked } from '../state/lock.ts';
import { statePaths } from '../state/state-folder.ts';
import { runnerFolders } from './serve.ts';

/**
 * Tells a person how the runners of a state folder are doing.
 * @returns the exit code: 0 connected, 3 running but not connected, 4 not running
 */
export function status(stateDir: string, say: (line: string) => void): number {
  const folders = runnerFolders(stateDir);
  if (folders.length === 0) {
    say(`No runner has joined from ${stateDir}.`);
    return 4;
  }
  const { lock } = statePaths(stateDir);
  const running = isLocked(lock);
  say(running ? `Running, process ${holderOf(lock) ?? 'unknown'}.` : 'Not running. Start it: run, or install.');
  let connected = running;
  for (const folder of folders) {
    const link = readStatus(folder);
    connected &&= link?.state === 'ready';
    say(describe(folder, running ? link : null));
  }
  if (!running) return 4;
  return connected ? 0 : 3;
}

function describe(folder: string, link: LinkStatus | null): string {
  const who = readIdentity(folder);
  const how = link
    ? `${link.state === 'ready' ? `connected by ${link.transport}` : link.state} since ${new Date(link.sinceMs).toISOString()}`
    : 'not connected';
  const why = link?.lastEnd ? ` (${link.lastEnd})` : '';
  return `${who?.name} ${who?.runner_id} ${who?.hypervisor} at ${who?.edge_url}: ${how}${why}; ${holdings(folder)}`;
}

function readStatus(folder: string): LinkStatus | null {
  const path = statePaths(folder).status;
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as LinkStatus) : null;
}

/** What the ledger wants, by kind. */
function holdings(folder: string): string {
  const path = statePaths(folder).ledger;
  if (!existsSync(path)) return 'holds nothing';
  const db = new Database(path) as unknown as { prepare(sql: string): { all(): unknown[] }; close(): void };
  try {
    const sql = 'SELECT kind, count(*) AS n FROM objects WHERE deleted = 0 GROUP BY kind ORDER BY kind';
    const counts = db.prepare(sql).all() as { kind: string; n: number }[];
    return counts.length === 0 ? 'holds nothing' : `holds ${counts.map(({ kind, n }) => `${n} ${kind}`).join(', ')}`;
  } finally {
    db.close();
  }
}
