import { type Database, openDatabase } from '../../db/client.ts';
import type { Clock } from '../../shared/clock.ts';
import type { Ids } from '../../shared/ids.ts';
import type { Env } from '../env.ts';
import { linkedFleet } from '../fleet/linked-fleet.ts';
import { blobStoreOf } from '../image/blob-stores.ts';
import { objectImports } from '../image/imports/imports.ts';
import { objectWebhooks } from '../webhooks/wake-endpoints.ts';
import type { Context } from './context.ts';
import { consoleLog } from './log.ts';

/** A region's name in a path: `/r/<region>/compute/...`. */
const REGION_PATH = /^\/r\/([A-Za-z0-9_-]{1,64})(?=\/|$)/;

let opened: { url: string; db: Database } | undefined;

/** One client an isolate: it holds no connection, only the address. */
export function databaseOf(env: Env): Database {
  if (opened?.url !== env.DATABASE_URL) {
    const binding = env.DATABASE;
    const db = openDatabase({
      url: env.DATABASE_URL,
      token: env.DATABASE_TOKEN,
      ...(binding ? { fetch: ((request: Request) => binding.fetch(request)) as typeof fetch } : {}),
    });
    opened = { url: env.DATABASE_URL, db };
  }
  return opened.db;
}

/** The region that a request's URL names, and what its client calls us up to there. */
export function addressOf(env: Env, requestUrl: string): { region: string; baseUrl: string } {
  const url = new URL(requestUrl);
  const match = REGION_PATH.exec(url.pathname);
  return { region: match?.[1] ?? env.REGION, baseUrl: `${env.PUBLIC_URL || url.origin}${match?.[0] ?? ''}` };
}

/** What a request or a Durable Object acts with; everything that reaches outside is made here. */
export function makeContext(
  env: Env,
  of: {
    clock: Clock;
    ids: Ids;
    requestId: string;
    region: string;
    baseUrl: string;
    waitUntil: (promise: Promise<unknown>) => void;
  },
): Context {
  const log = consoleLog(of.clock, { requestId: of.requestId });
  const { DOWNLOADS, WEBHOOKS } = env;
  return {
    ...of,
    env,
    db: databaseOf(env),
    fleet: linkedFleet(env, log, of.waitUntil),
    blobs: blobStoreOf(env),
    imports: objectImports(env, of.region, log, of.waitUntil),
    download: (request) => (DOWNLOADS ? DOWNLOADS.fetch(request) : fetch(request)),
    webhooks: objectWebhooks(env, of.region, log, of.waitUntil),
    deliver: (request) => (WEBHOOKS ? WEBHOOKS.fetch(request) : fetch(request)),
    log,
  };
}
