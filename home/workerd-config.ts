import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const WRANGLER = join(import.meta.dirname, '../wrangler.toml');

export interface WorkerdOptions {
  /** `127.0.0.1:8774`, or `*:8774`. */
  listen: string;
  /** The bundle, relative to the configuration's folder. */
  bundle: string;
  /** `127.0.0.1:5432` or `unix:/path`. */
  database: string;
  blobs: string;
  durableObjects: string;
  /** CIDRs that images may be downloaded from, beyond public addresses. */
  importAllow: string[];
  /** CIDRs that identity providers may be at, beyond public addresses. */
  ssoAllow: string[];
  /** CIDRs that webhooks may be sent to, beyond public addresses. */
  webhookAllow: string[];
  bindings: Record<string, string>;
}

/** A text as a Cap'n Proto string literal: everything but plain ASCII is escaped byte by byte. */
export function capnpText(text: string): string {
  const bytes = new TextEncoder().encode(text);
  let literal = '';
  for (const byte of bytes) {
    const plain = byte >= 0x20 && byte < 0x7f && byte !== 0x22 && byte !== 0x5c;
    literal += plain ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`;
  }
  return `"${literal}"`;
}

/** The compatibility date and flags of wrangler.toml, so that both deployments run the same. */
export function compatibility(wranglerToml = readFileSync(WRANGLER, 'utf8')): { date: string; flags: string[] } {
  const date = /^compatibility_date = "(\d{4}-\d{2}-\d{2})"$/m.exec(wranglerToml)?.[1];
  const flags = /^compatibility_flags = \[(.*)\]$/m.exec(wranglerToml)?.[1];
  if (!date || flags === undefined) throw new Error('wrangler.toml has no compatibility_date or compatibility_flags.');
  return { date, flags: [...flags.matchAll(/"([^"]+)"/g)].map((match) => match[1] ?? '') };
}

/** Addresses of IPv6 behind which others lie, of IPv4, that no list of ranges sees: NAT64 (two), Teredo, 6to4. */
const TUNNELS = ['64:ff9b::/96', '64:ff9b:1::/48', '2001::/32', '2002::/16'];

/** A way out to public addresses, and to some more, but for some. */
const networkOf = (allow: readonly string[], deny: readonly string[] = []): string =>
  `network = (allow = [${listOf(['public', ...allow])}], ${deny.length > 0 ? `deny = [${listOf(deny)}], ` : ''}tlsOptions = (trustBrowserCas = true))`;

const listOf = (texts: readonly string[]) => texts.map(capnpText).join(', ');

/** The configuration that `workerd serve` reads. */
export function workerdConfig(options: WorkerdOptions): string {
  const { date, flags } = compatibility();
  const texts = Object.entries(options.bindings).map(
    ([name, value]) => `    (name = ${capnpText(name)}, text = ${capnpText(value)}),`,
  );
  return `using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "aerostat", worker = .aerostat),
    (name = "database", external = (address = ${capnpText(options.database)}, http = ())),
    (name = "blobs", disk = (path = ${capnpText(options.blobs)}, writable = true)),
    (name = "objects", disk = (path = ${capnpText(options.durableObjects)}, writable = true)),
    (name = "downloads", ${networkOf(options.importAllow)}),
    (name = "identity-providers", ${networkOf(options.ssoAllow)}),
    (name = "webhooks", ${networkOf(options.webhookAllow, TUNNELS)}),
    (name = "internet", ${networkOf([])}),
  ],
  # Less memory at the same speed: what a request makes is dead before even a small young generation is full.
  v8Flags = ["--max-semi-space-size=4"],
  sockets = [(name = "api", address = ${capnpText(options.listen)}, http = (), service = "aerostat")],
);

const aerostat :Workerd.Worker = (
  modules = [(name = "worker.js", esModule = embed ${capnpText(options.bundle)})],
  compatibilityDate = ${capnpText(date)},
  compatibilityFlags = [${flags.map(capnpText).join(', ')}],
  durableObjectNamespaces = [
    (className = "RunnerLink", uniqueKey = "aerostat-runner-link", enableSql = true),
    (className = "RegionWatch", uniqueKey = "aerostat-region-watch", enableSql = true),
    (className = "ImageImporter", uniqueKey = "aerostat-image-importer", enableSql = true),
    (className = "ConsoleRelay", uniqueKey = "aerostat-console-relay", enableSql = true),
    (className = "WebhookSender", uniqueKey = "aerostat-webhook-sender", enableSql = true),
  ],
  durableObjectStorage = (localDisk = "objects"),
  globalOutbound = "internet",
  bindings = [
    (name = "DATABASE", service = "database"),
    (name = "BLOBS", service = "blobs"),
    (name = "DOWNLOADS", service = "downloads"),
    (name = "IDENTITY_PROVIDERS", service = "identity-providers"),
    (name = "WEBHOOKS", service = "webhooks"),
    (name = "RUNNER_LINK", durableObjectNamespace = "RunnerLink"),
    (name = "REGION_WATCH", durableObjectNamespace = "RegionWatch"),
    (name = "IMAGE_IMPORTER", durableObjectNamespace = "ImageImporter"),
    (name = "CONSOLE_RELAY", durableObjectNamespace = "ConsoleRelay"),
    (name = "WEBHOOK_SENDER", durableObjectNamespace = "WebhookSender"),
${texts.join('\n')}
  ],
);
`;
}
