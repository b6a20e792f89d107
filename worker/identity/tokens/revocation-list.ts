import { serviceUnavailable } from '../../http/errors.ts';
import { revocationKey, type StoredRevocation } from './revocation.ts';

/** A revocation made elsewhere is known here within this. */
export const REVOCATIONS_FRESH_MS = 5_000;
/** How long tokens are still taken on an older list while the database cannot be read. */
export const REVOCATIONS_STALE_MAX_MS = 60_000;
/** A reading that takes longer counts as failed, and may be begun anew. */
export const READ_TIMEOUT_MS = 3_000;
/** After a failed reading the next is not begun before this. */
export const READ_RETRY_MS = 1_000;
/** Rows of one reading; more follow in further ones. */
export const REVOCATIONS_PAGE = 5_000;

/** What a reading needs of the request that happens to begin it. */
export interface Reading {
  nowMs(): number;
  /** Revocations after this one that still matter, oldest first, `REVOCATIONS_PAGE` at most. */
  read(afterSeq: number): Promise<StoredRevocation[]>;
  /** Keeps the reading alive for the others when the request that began it goes away. */
  waitUntil(promise: Promise<unknown>): void;
  sleep(ms: number): Promise<void>;
}

/**
 * The revocations one isolate knows. A request that finds the list old has it read again, and all that find it so wait
 * for that one reading. While readings fail nobody waits: the old list does, until it is too old for any token.
 */
export class RevocationList {
  readonly #seqByKey = new Map<string, { seq: number; expiresAtMs: number }>();
  #lastSeq = 0;
  #readAtMs = Number.NEGATIVE_INFINITY;
  #retryAtMs = Number.NEGATIVE_INFINITY;
  #failing = false;
  #under: { reading: Promise<void>; begunAtMs: number } | undefined;
  /** Rises when the list grows: what was found not revoked at this version need not be looked up again. */
  version = 0;

  /**
   * Makes sure the list is as fresh as it must be. Undefined when there is nothing to wait for.
   * @throws ApiError 503 when it is too old and cannot be read
   */
  ensureFresh(reading: Reading): Promise<void> | undefined {
    if (reading.nowMs() - this.#readAtMs < REVOCATIONS_FRESH_MS) return undefined;
    return this.#refresh(reading);
  }

  /** Whether a revocation with one of these keys came after the given one. */
  ends(keys: readonly string[], revocationSeq: number): boolean {
    return keys.some((key) => this.lastSeq(key) > revocationSeq);
  }

  /** The last revocation with this key; 0 when none is known. */
  lastSeq(key: string): number {
    return this.#seqByKey.get(key)?.seq ?? 0;
  }

  /** Takes in revocations, at once those that this isolate has just stored. */
  apply(stored: readonly StoredRevocation[]): void {
    for (const revocation of stored) {
      const key = revocationKey(revocation);
      const known = this.#seqByKey.get(key);
      if (!known || known.seq < revocation.seq) this.#seqByKey.set(key, revocation);
    }
    if (stored.length > 0) this.version += 1;
  }

  async #refresh(reading: Reading): Promise<void> {
    const nowMs = reading.nowMs();
    const tooOld = nowMs - this.#readAtMs >= REVOCATIONS_STALE_MAX_MS;
    const under = this.#underWay(reading, nowMs);
    if (under && (tooOld || !this.#failing)) {
      try {
        await within(under, READ_TIMEOUT_MS, reading.sleep);
        return;
      } catch {
        this.#failed(reading);
      }
    }
    if (tooOld) throw serviceUnavailable('Tokens cannot be checked as the database does not answer. Try again.', 1);
  }

  /** The reading that is under way, begun now if it is time; one that takes too long may never end and is given up. */
  #underWay(reading: Reading, nowMs: number): Promise<void> | undefined {
    if (this.#under && nowMs - this.#under.begunAtMs < READ_TIMEOUT_MS) return this.#under.reading;
    if (nowMs < this.#retryAtMs) return undefined;
    const under = { reading: this.#readAll(reading), begunAtMs: nowMs };
    this.#under = under;
    const settled = under.reading.then(
      () => {
        this.#failing = false;
      },
      () => this.#failed(reading),
    );
    reading.waitUntil(
      settled.then(() => {
        if (this.#under === under) this.#under = undefined;
      }),
    );
    return under.reading;
  }

  #failed(reading: Reading): void {
    this.#failing = true;
    this.#retryAtMs = reading.nowMs() + READ_RETRY_MS;
  }

  async #readAll({ nowMs, read }: Reading): Promise<void> {
    const beganAtMs = nowMs();
    for (const [key, { expiresAtMs }] of this.#seqByKey) if (expiresAtMs <= beganAtMs) this.#seqByKey.delete(key);
    let rows: StoredRevocation[];
    do {
      rows = await read(this.#lastSeq);
      this.apply(rows);
      this.#lastSeq = Math.max(this.#lastSeq, rows.at(-1)?.seq ?? 0);
    } while (rows.length >= REVOCATIONS_PAGE);
    this.#readAtMs = Math.max(this.#readAtMs, beganAtMs);
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
