import type { Env } from '../../../env.ts';
import type { Context } from '../../../http/context.ts';
import { type Document, DocumentCache, READ_TIMEOUT_MS, type Reader } from './document-cache.ts';
import { ProviderFault } from './provider-fault.ts';
import { isSafeUrl } from './settings.ts';

/** Larger answers are not read to their end. */
const ANSWER_BYTES_MAX = 512 * 1024;
/** Requests of one isolate to identity providers at a time. */
const REQUESTS_MAX = 32;

let requests = 0;

/** What a provider answered that is not a document: its status. */
export class ProviderRefusal extends ProviderFault {
  readonly status: number;
  constructor(url: string, status: number) {
    super(`${url} answered ${status}`);
    this.status = status;
  }
}

/**
 * Asks an identity provider for JSON, within limits of time and size. Redirects are not followed: they could lead
 * anywhere, and nothing that is asked for here needs one.
 * @throws ProviderRefusal for another status than 2xx, ProviderFault for anything else that is no JSON object
 */
export async function askProvider(ctx: Context, url: string, init: RequestInit = {}): Promise<Document> {
  if (!isSafeUrl(url)) throw new ProviderFault(`${url} is no place for secrets: it is not https://`);
  if (requests >= REQUESTS_MAX) throw new ProviderFault(`${requests} requests to identity providers are under way`);
  requests += 1;
  try {
    const headers = { accept: 'application/json', ...(init.headers as Record<string, string> | undefined) };
    const signal = AbortSignal.timeout(READ_TIMEOUT_MS);
    const response = await wayOut(ctx.env).fetch(url, { ...init, headers, redirect: 'manual', signal });
    const text = await readText(response);
    if (!response.ok) throw new ProviderRefusal(url, response.status);
    const json: unknown = JSON.parse(text);
    if (json === null || typeof json !== 'object' || Array.isArray(json)) throw new Error('it is no JSON object');
    return json as Document;
  } catch (error) {
    throw error instanceof ProviderFault ? error : new ProviderFault(`${url}: ${(error as Error).message}`);
  } finally {
    requests -= 1;
  }
}

/** At home a network of its own, which the operator can open to providers inside; in the cloud the platform's. */
const wayOut = (env: Env): { fetch: typeof fetch } => (env.IDENTITY_PROVIDERS ?? globalThis) as { fetch: typeof fetch };

async function readText(response: Response): Promise<string> {
  const reader = response.body?.getReader();
  const decoder = new TextDecoder();
  let text = '';
  for (let bytes = 0; reader; ) {
    const { done, value } = await reader.read();
    if (done) break;
    bytes += value.byteLength;
    if (bytes > ANSWER_BYTES_MAX) {
      await reader.cancel();
      throw new Error(`its answer is over ${ANSWER_BYTES_MAX} bytes`);
    }
    text += decoder.decode(value, { stream: true });
  }
  return text + decoder.decode();
}

const documents = new DocumentCache();

/** A document that a provider publishes, from this isolate's memory where it is fresh enough. @throws ProviderFault */
export function publishedAt(ctx: Context, url: string, maxAgeMs?: number): Promise<Document> {
  const reader: Reader = {
    nowMs: () => ctx.clock.nowMs(),
    read: (at) => askProvider(ctx, at),
    sleep: (ms) => scheduler.wait(ms),
  };
  return documents.get(url, reader, maxAgeMs);
}
