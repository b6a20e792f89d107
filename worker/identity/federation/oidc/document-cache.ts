import { Lru } from '../../../../shared/lru.ts';
import { ProviderFault } from './provider-fault.ts';

/** How long a document is taken as it is. */
export const FRESH_MS = 10 * 60_000;
/** How long an older one is still taken while it cannot be read anew. */
export const STALE_MAX_MS = 60 * 60_000;
/** After a failed reading the next is not begun before this. */
export const RETRY_MS = 5_000;
/** A reading that takes longer counts as failed, and may be begun anew. */
export const READ_TIMEOUT_MS = 5_000;
const LOOK_AGAIN_MS = 20;
/** Documents an isolate keeps: two a provider. */
const DOCUMENTS_MAX = 128;

export type Document = Readonly<Record<string, unknown>>;

/** What a request lends for a reading. */
export interface Reader {
  nowMs(): number;
  /** @throws Error when there is no such document to be had */
  read(url: string): Promise<Document>;
  sleep(ms: number): Promise<void>;
}

interface Entry {
  document?: Document;
  readAtMs: number;
  failedAtMs: number;
  /** When the reading that is under way began. */
  begunAtMs?: number | undefined;
}

/**
 * What identity providers publish about themselves, as one isolate knows it. Only one request at a time reads a document;
 * the others look whether it has come, as in workerd a request cannot wait for what belongs to another.
 */
export class DocumentCache {
  readonly #entries = new Lru<string, Entry>(DOCUMENTS_MAX);

  /**
   * The document at a URL, read anew if it is older than `maxAgeMs` and that can be done.
   * @throws ProviderFault when there is none that is not too old
   */
  async get(url: string, reader: Reader, maxAgeMs = FRESH_MS): Promise<Document> {
    const entry = this.#entries.get(url) ?? { readAtMs: -Infinity, failedAtMs: -Infinity };
    this.#entries.set(url, entry);
    const deadlineMs = reader.nowMs() + READ_TIMEOUT_MS;
    while (entry.begunAtMs !== undefined && !late(entry.begunAtMs, reader)) {
      if (reader.nowMs() >= deadlineMs) break;
      await reader.sleep(LOOK_AGAIN_MS);
    }
    const nowMs = reader.nowMs();
    if (entry.document && nowMs - entry.readAtMs < maxAgeMs) return entry.document;
    if (nowMs - entry.failedAtMs >= RETRY_MS) await this.#read(url, entry, reader);
    if (entry.document && reader.nowMs() - entry.readAtMs < STALE_MAX_MS) return entry.document;
    throw new ProviderFault(`${url} could not be read`);
  }

  async #read(url: string, entry: Entry, reader: Reader): Promise<void> {
    const begunAtMs = reader.nowMs();
    entry.begunAtMs = begunAtMs;
    try {
      entry.document = await reader.read(url);
      entry.readAtMs = reader.nowMs();
    } catch (error) {
      entry.failedAtMs = reader.nowMs();
      if (!entry.document) throw error;
    } finally {
      if (entry.begunAtMs === begunAtMs) entry.begunAtMs = undefined;
    }
  }
}

const late = (begunAtMs: number, reader: Reader): boolean => reader.nowMs() - begunAtMs >= READ_TIMEOUT_MS;
