import { describe, expect, test } from 'vitest';
import {
  type Document,
  DocumentCache,
  FRESH_MS,
  READ_TIMEOUT_MS,
  RETRY_MS,
  type Reader,
  STALE_MAX_MS,
} from './document-cache.ts';
import { ProviderFault } from './provider-fault.ts';

const URL = 'https://sso.example.org/keys';

/** A provider whose documents are numbered by how often it was asked, and a clock that only the test moves. */
function scene() {
  const state = { nowMs: 1_000_000, reads: 0, broken: false, hold: undefined as Promise<void> | undefined };
  const cache = new DocumentCache();
  const reader: Reader = {
    nowMs: () => state.nowMs,
    read: async () => {
      state.reads += 1;
      const number = state.reads;
      await state.hold;
      if (state.broken) throw new ProviderFault('broken');
      return { number };
    },
    sleep: async (ms) => {
      state.nowMs += ms;
      // Lets the others go on, as waiting does.
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
  return { state, get: (maxAgeMs?: number): Promise<Document> => cache.get(URL, reader, maxAgeMs) };
}

describe('a document', () => {
  test('is read once while it is fresh', async () => {
    const { state, get } = scene();
    const first = await get();
    state.nowMs += FRESH_MS - 1;
    expect(await get()).toBe(first);
    state.nowMs += 1;
    expect(await get()).toEqual({ number: 2 });
  });

  test('is read anew for who needs a newer one, and no sooner', async () => {
    const { state, get } = scene();
    const first = await get();
    state.nowMs += 29_999;
    expect(await get(30_000)).toBe(first);
    state.nowMs += 1;
    expect(await get(30_000)).toEqual({ number: 2 });
    expect(state.reads).toBe(2);
  });

  test('that cannot be read is not asked for again at once', async () => {
    const { state, get } = scene();
    state.broken = true;
    await expect(get()).rejects.toThrow('broken');
    await expect(get()).rejects.toThrow(ProviderFault);
    expect(state.reads).toBe(1);
    state.broken = false;
    state.nowMs += RETRY_MS;
    expect(await get()).toEqual({ number: 2 });
  });

  test('is taken stale while it cannot be read, but not for ever', async () => {
    const { state, get } = scene();
    const first = await get();
    state.broken = true;
    state.nowMs += FRESH_MS;
    expect(await get()).toBe(first);
    expect(await get()).toBe(first);
    expect(state.reads).toBe(2);
    state.nowMs += STALE_MAX_MS - FRESH_MS;
    await expect(get()).rejects.toThrow(ProviderFault);
  });

  test('is read by one request while the others look for it', async () => {
    const { state, get } = scene();
    let release = () => {};
    state.hold = new Promise((resolve) => {
      release = resolve;
    });
    const all = [get(), get(), get()];
    await new Promise((resolve) => setImmediate(resolve));
    release();
    expect(await Promise.all(all)).toEqual([{ number: 1 }, { number: 1 }, { number: 1 }]);
    expect(state.reads).toBe(1);
  });

  test('is read by another when the one that reads it never ends', async () => {
    const { state, get } = scene();
    state.hold = new Promise(() => {});
    void get();
    state.hold = undefined;
    const began = state.nowMs;
    expect(await get()).toEqual({ number: 2 });
    expect(state.nowMs - began).toBeGreaterThanOrEqual(READ_TIMEOUT_MS);
  });
});
