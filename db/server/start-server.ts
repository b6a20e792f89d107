import { createServer, type Server } from 'node:http';
import { lockDatabase, resolveDatabaseFile } from './database-lock.ts';
import { Engine } from './engine.ts';
import { requestListener } from './http.ts';
import { DEFAULT_LIMITS, type Limits } from './limits.ts';
import { listen, parseListen } from './listen.ts';
import { PipelineRunner, SHUTTING_DOWN } from './pipeline.ts';
import { StreamRegistry } from './streams.ts';

export interface DatabaseServerOptions {
  /** The database file; made if it is missing. */
  file: string;
  /** What clients must show as their bearer token. */
  token: string;
  /** `127.0.0.1:PORT` (0 for any) or `unix:PATH`; any loopback port by default. */
  listen?: string;
  limits?: Partial<Limits>;
}

export interface DatabaseServer {
  /** For `createClient({ url })`, or `unix:PATH`. */
  url: string;
  /** Stop accepting, let what runs finish, fold the WAL into the file, let go of it. */
  close(): Promise<void>;
}

// What is still open after the limit is cut: an unanswered request may be lost, an answered one may not.
function drain(server: Server, streams: StreamRegistry, msMax: number): Promise<void> {
  return new Promise((resolve) => {
    const cut = setTimeout(() => server.closeAllConnections(), msMax);
    server.close(() => {
      clearTimeout(cut);
      resolve();
    });
    streams.endAll(SHUTTING_DOWN);
    server.closeIdleConnections();
  });
}

/** Serve one database file over Hrana; throws if another server has it. */
export async function startDatabaseServer(options: DatabaseServerOptions): Promise<DatabaseServer> {
  if (options.token === '') throw new Error('The token is empty: set AEROSTAT_DB_TOKEN or --token-file');
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const address = parseListen(options.listen ?? '127.0.0.1:0');
  const file = resolveDatabaseFile(options.file);
  const unlock = lockDatabase(file);
  const engine = new Engine(file, limits);
  const streams = new StreamRegistry(limits);
  const pipelines = new PipelineRunner(engine, streams, limits);
  let closing: Promise<void> | undefined;
  const draining = () => closing !== undefined;
  const server = createServer(requestListener({ pipelines, token: options.token, limits, draining }));
  // The client closes what it no longer needs: a close of ours could cross a request on its way.
  server.keepAliveTimeout = 0;
  server.maxConnections = limits.connectionsMax;
  const closeEngine = () => {
    engine.close();
    unlock();
  };
  const url = await listen(server, address).catch((error: unknown) => {
    closeEngine();
    throw error;
  });
  return {
    url,
    close: () => (closing ??= drain(server, streams, limits.shutdownMsMax).then(closeEngine)),
  };
}
