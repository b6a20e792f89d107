/**
 * The database at home: one process that holds the libSQL engine and speaks Hrana over HTTP, so that `@libsql/client`
 * talks to it as it talks to Turso. It is an adapter, not a database: nothing may grow in it that libSQL or Turso do
 * not have.
 *
 *     AEROSTAT_DB_TOKEN=... node db/server/main.ts --file data/aerostat.db --listen 127.0.0.1:8082
 *
 * One connection writes, others read. What is written at the same time by several clients shares one transaction and
 * one fsync, each in a savepoint of its own; nobody is answered before the commit. On SIGTERM it finishes what runs,
 * folds the WAL into the file and exits with 0; killed, it loses nothing that was answered.
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { startDatabaseServer } from './start-server.ts';

const HELP = `Usage: node db/server/main.ts --file FILE [--listen 127.0.0.1:PORT|unix:PATH] [--token-file FILE]

  --file FILE        the database; made if it is missing
  --listen ADDRESS   a loopback port (0 for any free one) or a unix socket; 127.0.0.1:0 if left out
  --token-file FILE  holds the token clients must show; else the environment variable AEROSTAT_DB_TOKEN is read
  --help             this text

Prints one line of JSON once it serves: {"ready":true,"url":...,"file":...,"pid":...}
`;

const OPTIONS = {
  file: { type: 'string' },
  listen: { type: 'string' },
  'token-file': { type: 'string' },
  help: { type: 'boolean' },
} as const;

async function main(): Promise<void> {
  const { values } = parseArgs({ options: OPTIONS });
  if (values.help === true) {
    process.stdout.write(HELP);
    return;
  }
  if (values.file === undefined) throw new Error('--file is missing; see --help');
  const tokenFile = values['token-file'];
  const token =
    tokenFile === undefined ? (process.env.AEROSTAT_DB_TOKEN ?? '') : readFileSync(tokenFile, 'utf8').trim();
  const listen = values.listen ?? '127.0.0.1:0';
  const server = await startDatabaseServer({ file: values.file, token, listen });
  const stop = () => void server.close().then(() => process.exit(0), fail);
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  process.stdout.write(`${JSON.stringify({ ready: true, url: server.url, file: values.file, pid: process.pid })}\n`);
}

function fail(error: unknown): void {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}

main().catch(fail);
