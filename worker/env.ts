import type { ConsoleRelay } from './compute/consoles/console-relay.ts';
import type { RegionWatch } from './fleet/region-watch.ts';
import type { RunnerLink } from './fleet/runner-link.ts';
import type { ImageImporter } from './image/imports/image-importer.ts';
import type { WebhookSender } from './webhooks/webhook-sender.ts';

/** What the platform hands the worker: the same names in wrangler.toml and in the configuration for workerd. */
export interface Env {
  /** `http://...` at home, `libsql://...` at Turso. */
  DATABASE_URL: string;
  DATABASE_TOKEN: string;
  /** At home: the way to the database process. Absent in the cloud, where the platform's fetch goes to Turso. */
  DATABASE?: Fetcher;
  /** Blobs at home: a directory that workerd serves. */
  BLOBS?: Fetcher;
  /** Blobs in the cloud: an R2 bucket. One of the two is there. */
  BUCKET?: R2Bucket;
  /** At home: the way to identity providers. Absent in the cloud, where the platform's fetch goes there. */
  IDENTITY_PROVIDERS?: Fetcher;
  /** Dashboards that may be handed a token after a log-in elsewhere: URLs, divided by commas. */
  TRUSTED_DASHBOARDS?: string;
  /** 32 random bytes, base64: signs tokens. */
  TOKEN_KEY: string;
  /** A JSON object of Keystone's `[security_compliance]` options; absent or empty: none of them. */
  SECURITY_COMPLIANCE?: string;
  /** The default region. */
  REGION: string;
  /** The URL that clients use, without a slash at the end; empty: whatever host they asked. */
  PUBLIC_URL: string;
  /** At home: the way to where images are downloaded from. Absent in the cloud, whose own fetch reaches public addresses alone. */
  DOWNLOADS?: Fetcher;
  /** CIDRs, divided by commas, that downloads may reach beyond public addresses. */
  IMPORT_ALLOW?: string;
  /** At home: the way to webhooks' receivers. Absent in the cloud, whose own fetch reaches public addresses alone. */
  WEBHOOKS?: Fetcher;
  /** For development: CIDRs, divided by commas, that webhooks may be sent to beyond public addresses, over HTTP, too. */
  WEBHOOK_ALLOW?: string;
  /** Seconds after which a resize that nobody confirmed or reverted is confirmed; 0 or absent: never. */
  RESIZE_CONFIRM_S?: string;
  RUNNER_LINK: DurableObjectNamespace<RunnerLink>;
  REGION_WATCH: DurableObjectNamespace<RegionWatch>;
  IMAGE_IMPORTER: DurableObjectNamespace<ImageImporter>;
  CONSOLE_RELAY: DurableObjectNamespace<ConsoleRelay>;
  WEBHOOK_SENDER: DurableObjectNamespace<WebhookSender>;
}
