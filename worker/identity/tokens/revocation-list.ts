import { serviceUnavailable } from '../../http/errors.ts';
import { revocationKey, type StoredRevocation } from './revocation.ts';

/** A revocation made elsewhere is known here within this. */
export const REVOCATIONS_FRESH_MS = 5_000;
/** How long tokens are still taken on an older list while the database cannot be read. */
export const REVOCATIONS_STALE_MAX_MS = 60_000;
/** After a failed reading the next request does not try again before this. */
const RETRY_AFTER_MS = 1_000;
/** A reading that takes longer counts as failed. */
const READ_TIMEOUT_MS = 3_000;
/** Rows of one reading; more follow in further ones. */
export const REVOCATIONS_PAGE = 5_000;

/** What a reading needs of the request that happens to make it. */
export interface Reading {
  nowMs: number;
  /** Revocations after this one that still matter, oldest first, `REVOCATIONS_PAGE` at most. */
  read(afterSeq: number): Promise<StoredRevocation[]>;
  /** Keeps the reading alive for the others when the request that began it goes away. */
  waitUntil(promise: Promise<unknown>): void;
  sleep(ms: number): Promise<void>;
}

/** The revocations one isolate knows: read again when a request finds them old, by that request, once for all that wait. */
export class RevocationList {
  readonly #seqByKey = new Map<string, { seq: number; expiresAtMs: number }>();
  #lastSeq = 0;
  #readAtMs = Number.NEGATIVE_INFINITY;
  #retryAtMs = Number.NEGATIVE_INFINITY;
  #reading: Promise<void> | undefined;
  /** Rises when the list changes: what was found not revoked at this version need not be looked up again. */
  version = 0;

  /**
   * Makes sure the list is as fresh as it must be. Nothing to wait for when undefined.
   * @throws ApiError 503 when it is too old and cannot be read
   */
  ensureFresh(reading: Reading): Promise<void> | undefined {
    if (reading.nowMs - this.#readAtMs < REVOCATIONS_FRESH_MS) return undefined;
    return this.#refresh(reading);
  }

  /** Whether a revocation with one of these keys came after the given one. */
  ends(keys: readonly string[], revocationSeq: number): boolean {
    return keys.some((key) => (this.#seqByKey.get(key)?.seq ?? 0) > revocationSeq);
  }

  /** Takes in revocations, at once those that this isolate has just stored. */
  apply(stored: readonly StoredRevocation[]): void {
    for (const revocation of stored) this.#take(revocation);
    if (stored.length > 0) this.version += 1;
  }

  async #refresh(reading: Reading): Promise<void> {
    if (reading.nowMs >= this.#retryAtMs) {
      if (!this.#reading) {
        this.#reading = this.#readAll(reading).finally(() => {
          this.#reading = undefined;
        });
        reading.waitUntil(this.#reading.catch(() => {}));
      }
      try {
        await within(this.#reading, READ_TIMEOUT_MS, reading.sleep);
        return;
      } catch {
        this.#retryAtMs = reading.nowMs + RETRY_AFTER_MS;
      }
    }
    if (reading.nowMs - this.#readAtMs >= REVOCATIONS_STALE_MAX_MS) {
      throw serviceUnavailable('Tokens cannot be checked as the database does not answer. Try again.', 1);
    }
  }

  async #readAll({ nowMs, read }: Reading): Promise<void> {
    this.#forgetExpired(nowMs);
    let rows: StoredRevocation[];
    do {
      rows = await read(this.#lastSeq);
      this.apply(rows);
      this.#lastSeq = rows.at(-1)?.seq ?? this.#lastSeq;
    } while (rows.length >= REVOCATIONS_PAGE);
    this.#readAtMs = nowMs;
  }

  #take(revocation: StoredRevocation): void {
    const key = revocationKey(revocation);
    const known = this.#seqByKey.get(key);
    if (!known || known.seq < revocation.seq) this.#seqByKey.set(key, revocation);
  }

  #forgetExpired(nowMs: number): void {
    for (const [key, { expiresAtMs }] of this.#seqByKey) if (expiresAtMs <= nowMs) this.#seqByKey.delete(key);
  }
}

async function within(work: Promise<void>, ms: number, sleep: (ms: number) => Promise<void>): Promise<void> {
  const late = sleep(ms).then(() => {
    throw new Error(`no answer in ${ms} ms`);
  });
  // Whichever loses is nobody's any more: its failure is not one of the request.
  late.catch(() => {});
  await Promise.race([work, late]);
}
