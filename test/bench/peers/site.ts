import { type ChildProcess, spawn } from 'node:child_process';
import { chownSync, closeSync, existsSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../../home/free-port.ts';
import { until } from '../../../home/until.ts';
import { run } from '../../../runner/host/run.ts';
import { cpuSeconds, withDescendants } from '../processes.ts';
import { type Unpacked, unpackPeers } from './unpack.ts';

const START_MS = 60_000;
/** PostgreSQL refuses to be root. */
const NOBODY = 65_534;

/** A place where peers run: a folder, a PostgreSQL of its own, and what was started there. */
export interface Site extends Unpacked {
  folder: string;
  /** @returns how a database of a name that is new is reached */
  database(name: string): Promise<string>;
  sql(database: string, query: string): Promise<string>;
  start(name: string, command: string, args: string[], env?: Record<string, string>): void;
  /** Serves a WSGI module. @returns its URL */
  serve(name: string, module: string, config: string): Promise<string>;
  write(name: string, text: string): string;
  /** Of all that runs here, in seconds. */
  processorS(): number;
  stop(): Promise<void>;
}

/** Sets up a place for peers on this machine; everything ends with `stop`. */
export async function startSite(): Promise<Site> {
  const unpacked = await unpackPeers();
  const folder = mkdtempSync(join(tmpdir(), 'aerostat-peers-'));
  const started: ChildProcess[] = [];
  const start = (name: string, command: string, args: string[], env: Record<string, string> = {}) => {
    const log = openSync(join(folder, `${name}.log`), 'a');
    started.push(
      spawn(command, args, {
        cwd: folder,
        stdio: ['ignore', log, log],
        env: { ...process.env, ...unpacked.env, ...env },
      }),
    );
    closeSync(log);
  };
  const write = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const postgres = await startPostgres(unpacked, folder, start);
  return {
    ...unpacked,
    ...postgres,
    folder,
    start,
    write,
    processorS: () => cpuSeconds(withDescendants(started.flatMap(({ pid }) => (pid === undefined ? [] : [pid])))),
    serve: (name, module, config) => serve({ ...unpacked, start, write }, name, module, config),
    async stop() {
      for (const child of started.reverse()) await ended(child);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const killer = setTimeout(() => child.kill('SIGKILL'), 10_000);
  await gone;
  clearTimeout(killer);
}

async function startPostgres({ file }: Unpacked, folder: string, start: Site['start']) {
  const installed = '/usr/lib/postgresql/15/bin';
  const bin = (name: string) => (existsSync(installed) ? join(installed, name) : file(join(installed, name)));
  const data = join(folder, 'postgres');
  mkdirSync(data);
  for (const path of [folder, data]) chownSync(path, NOBODY, NOBODY);
  const port = await freePort();
  const asNobody = ['--reuid', String(NOBODY), '--regid', String(NOBODY), '--clear-groups'];
  await run('setpriv', [...asNobody, bin('initdb'), '-D', data, '-A', 'trust', '-U', 'peers'], {
    timeout_ms: START_MS,
  });
  start('postgres', 'setpriv', [
    ...asNobody,
    bin('postgres'),
    '-D',
    data,
    '-k',
    folder,
    '-h',
    '127.0.0.1',
    '-p',
    String(port),
  ]);
  const sql = async (database: string, query: string) =>
    (
      await run(bin('psql'), ['-h', '127.0.0.1', '-p', String(port), '-U', 'peers', '-d', database, '-Atc', query], {
        timeout_ms: START_MS,
      })
    ).stdout.trim();
  await until('PostgreSQL', START_MS, async () => (await sql('postgres', 'SELECT 1')) === '1');
  return {
    sql,
    async database(name: string) {
      await sql('postgres', `CREATE DATABASE ${name}`);
      return `postgresql://peers@127.0.0.1:${port}/${name}`;
    },
  };
}

/** As Debian's own configuration, with twice as many processes as cores, which it recommends. */
async function serve(
  site: Pick<Site, 'file' | 'start' | 'write'>,
  name: string,
  module: string,
  config: string,
): Promise<string> {
  const port = await freePort();
  const plugin = site.file('usr/lib/uwsgi/plugins/python311_plugin.so');
  const ini = site.write(
    `${name}.ini`,
    `[uwsgi]
buffer-size = 65535
master = true
enable-threads = true
thunder-lock = true
lazy-apps = true
no-orphans = true
die-on-term = true
processes = 4
threads = 32
listen = 100
add-header = Connection: close
${existsSync(plugin) ? `plugin = ${plugin}` : 'plugins = python3'}
http-socket = 127.0.0.1:${port}
wsgi = ${module}
pyargv = --config-file ${config}
`,
  );
  site.start(name, 'uwsgi_python311', ['--ini', ini]);
  const url = `http://127.0.0.1:${port}`;
  await until(name, START_MS, async () => (await fetch(url)).status < 500);
  return url;
}
