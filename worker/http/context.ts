import type { Context as HonoContext } from 'hono';
import type { Database } from '../../db/client.ts';
import type { Clock } from '../../shared/clock.ts';
import type { Ids } from '../../shared/ids.ts';
import type { Env } from '../env.ts';
import type { Fleet } from '../fleet/fleet.ts';
import type { Delegation } from '../identity/tokens/delegation.ts';
import type { BlobStore } from '../image/blob-store.ts';
import type { Imports } from '../image/imports/imports.ts';
import type { Webhooks } from '../webhooks/wake-endpoints.ts';

/** Who acts, as the token says. Every id is Keystone's, without dashes. */
export interface Actor {
  userId: string;
  userName: string;
  userDomainId: string;
  userDomainName: string;
  /** Null for an unscoped, domain or system token. */
  projectId: string | null;
  projectName: string | null;
  projectDomainId: string | null;
  projectDomainName: string | null;
  domainId: string | null;
  systemScope: boolean;
  /** Names, with implied roles: an admin has manager, member and reader too. */
  roles: string[];
  auditId: string;
  issuedAtMs: number;
  expiresAtMs: number;
  /** By what the token holds rights that somebody passed on. */
  delegation?: Delegation;
}

/** What every verb is given first: who acts, where, when, and the ways to the outside. */
export interface Context {
  env: Env;
  db: Database;
  clock: Clock;
  ids: Ids;
  /** `req-<uuid>`, in the answer's headers and in the audit. */
  requestId: string;
  region: string;
  /** What clients call us, without a slash at the end, region prefix included where one was used. */
  baseUrl: string;
  fleet: Fleet;
  blobs: BlobStore;
  imports: Imports;
  /** Fetches from anywhere that the operator lets downloads go; nothing of ours is there. */
  download(request: Request): Promise<Response>;
  webhooks: Webhooks;
  /** Sends a webhook to where the operator lets them go; nothing of ours is there. */
  deliver(request: Request): Promise<Response>;
  log: Log;
  /** Keeps work alive after the answer. */
  waitUntil(promise: Promise<unknown>): void;
}

/** A context with a known actor: after authentication. */
export interface ActorContext extends Context {
  actor: Actor;
}

/** A context with a project: what almost every verb of compute, network and image takes. */
export interface ProjectContext extends ActorContext {
  actor: Actor & { projectId: string };
}

/** One line of JSON an event; never a secret. */
export interface Log {
  info(event: string, fields?: Record<string, unknown>): void;
  error(event: string, fields?: Record<string, unknown>): void;
}

/** The types of our Hono apps. `actor` is set by `authenticate`. */
export interface AppEnv {
  Bindings: Env;
  Variables: { ctx: Context; actor: Actor };
}
export type AppContext = HonoContext<AppEnv>;

/** The context of a route behind `authenticate`. */
export function actorContext(c: AppContext): ActorContext {
  return { ...c.get('ctx'), actor: c.get('actor') };
}
