import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type Client, type Config, createClient } from '@libsql/client/web';
import { onTestFinished } from 'vitest';
import type { Limits } from './limits.ts';
import { type DatabaseServer, startDatabaseServer } from './start-server.ts';

export const TOKEN = 'token-for-tests';
const LOOK_EVERY_MS = 2;

/** A directory of the test's own, removed after it. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'aerostat-db-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** A client of the URL, closed after the test. */
export function openClient(url: string, config: Partial<Config> = {}): Client {
  const client = createClient({ url, authToken: TOKEN, concurrency: 0, ...config });
  onTestFinished(() => client.close());
  return client;
}

export interface TestServer extends DatabaseServer {
  file: string;
}

/** A server on a file of the test's own, closed after it. */
export async function openServer(limits: Partial<Limits> = {}): Promise<TestServer> {
  const file = join(temporaryDirectory(), 'test.db');
  const server = await startDatabaseServer({ file, token: TOKEN, limits });
  onTestFinished(() => server.close());
  return { ...server, file };
}

/** A client of a server of the test's own. */
export async function openDatabase(config: Partial<Config> = {}, limits: Partial<Limits> = {}): Promise<Client> {
  return openClient((await openServer(limits)).url, config);
}

interface HranaResult {
  type: string;
  // biome-ignore lint/suspicious/noExplicitAny: what a test picks out of a response is what it checks
  response?: any;
  error?: { message: string; code: string; extended_code?: string };
}

export interface HranaResponse {
  status: number;
  baton: string | null;
  results: HranaResult[];
  message?: string;
  code?: string;
}

/** Send requests as they are, past the client. */
export async function pipeline(url: string, requests: object[], baton: string | null = null): Promise<HranaResponse> {
  const response = await fetch(`${url}/v3/pipeline`, {
    method: 'POST',
    headers: { authorization: `Bearer ${TOKEN}` },
    body: JSON.stringify({ baton, requests }),
  });
  return { status: response.status, ...((await response.json()) as Omit<HranaResponse, 'status'>) };
}

export const execute = (sql: string, args: object[] = []): object => ({ type: 'execute', stmt: { sql, args } });

export const batch = (...steps: object[]): object => ({ type: 'batch', batch: { steps } });

export const step = (sql: string, condition?: object): object => ({ stmt: { sql }, condition });

export const CLOSE = { type: 'close' };

/** Wait until a condition holds. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await pause(LOOK_EVERY_MS);
}

/** Resolves when the server, which is in this process, has read all requests that were sent before. */
export async function requestsRead(url: string): Promise<void> {
  // The first may overtake a request that its client has yet to send in this turn; the second cannot.
  for (let trip = 0; trip < 2; trip += 1) await pipeline(url, [execute('SELECT 1'), CLOSE]);
}
