import { beforeEach, describe, expect, test, vi } from 'vitest';
import { ApiError } from '../../http/errors.ts';
import type { StoredRevocation } from './revocation.ts';
import {
  READ_RETRY_MS,
  READ_TIMEOUT_MS,
  REVOCATIONS_FRESH_MS,
  REVOCATIONS_PAGE,
  REVOCATIONS_STALE_MAX_MS,
  type Reading,
  RevocationList,
} from './revocation-list.ts';

const HOUR_MS = 3_600_000;
let nowMs = 1_000_000;
let stored: StoredRevocation[] = [];
let failing = false;
/** Set: readings do not settle before this does. */
let gate: Promise<void> | undefined;
let sleepers: { atMs: number; wake: () => void }[] = [];
const background: Promise<unknown>[] = [];

beforeEach(() => {
  nowMs = 1_000_000;
  stored = [];
  failing = false;
  gate = undefined;
  sleepers = [];
});

const read = vi.fn(async (afterSeq: number) => {
  await gate;
  if (failing) throw new Error('the database does not answer');
  return stored.filter(({ seq }) => seq > afterSeq).slice(0, REVOCATIONS_PAGE);
});
beforeEach(() => {
  read.mockClear();
});

const reading: Reading = {
  nowMs: () => nowMs,
  read,
  waitUntil: (promise) => background.push(promise),
  sleep: (ms) => new Promise((wake) => sleepers.push({ atMs: nowMs + ms, wake })),
};

/** Lets time pass: sleepers whose time has come wake. */
async function pass(ms: number): Promise<void> {
  nowMs += ms;
  for (const sleeper of sleepers) if (sleeper.atMs <= nowMs) sleeper.wake();
  await settle();
}
const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

const revoke = (subject: string, seq: number, lifeMs = HOUR_MS) =>
  stored.push({ seq, kind: 'user', subject, expiresAtMs: nowMs + lifeMs });
const isEnded = (list: RevocationList, subject: string, revocationSeq = 0) =>
  list.ends([`user:${subject}`], revocationSeq);

async function freshList(): Promise<RevocationList> {
  const list = new RevocationList();
  await list.ensureFresh(reading);
  return list;
}

describe('a list that can be read', () => {
  test('is read before the first token is judged', async () => {
    revoke('u', 1);
    const list = await freshList();
    expect(isEnded(list, 'u')).toBe(true);
    expect(isEnded(list, 'someone')).toBe(false);
  });

  test('ends only the tokens issued before the revocation', async () => {
    revoke('u', 5);
    const list = await freshList();
    expect(isEnded(list, 'u', 4)).toBe(true);
    expect(isEnded(list, 'u', 5)).toBe(false);
  });

  test('is not read again while it is fresh, and then only for what is new', async () => {
    revoke('u', 1);
    const list = await freshList();
    nowMs += REVOCATIONS_FRESH_MS - 1;
    expect(list.ensureFresh(reading)).toBeUndefined();
    revoke('v', 2);
    nowMs += 1;
    await list.ensureFresh(reading);
    expect(read.mock.calls).toEqual([[0], [1]]);
    expect([isEnded(list, 'u'), isEnded(list, 'v')]).toEqual([true, true]);
  });

  test('is read once for all requests that wait for it', async () => {
    const list = new RevocationList();
    await Promise.all(Array.from({ length: 50 }, () => list.ensureFresh(reading)));
    expect(read).toHaveBeenCalledTimes(1);
  });

  test('is read in pages', async () => {
    for (let seq = 1; seq <= 2 * REVOCATIONS_PAGE + 1; seq += 1) revoke(`u${seq}`, seq);
    const list = await freshList();
    expect(read).toHaveBeenCalledTimes(3);
    expect(isEnded(list, `u${2 * REVOCATIONS_PAGE + 1}`)).toBe(true);
  });

  test('takes in at once what this isolate revoked, and still reads what came before it', async () => {
    const list = await freshList();
    revoke('elsewhere', 1);
    revoke('here', 2);
    list.apply(stored.slice(1));
    expect([isEnded(list, 'here'), isEnded(list, 'elsewhere')]).toEqual([true, false]);
    nowMs += REVOCATIONS_FRESH_MS;
    await list.ensureFresh(reading);
    expect(isEnded(list, 'elsewhere')).toBe(true);
  });

  test('keeps the last of several revocations of one user, in whatever order they are learnt', async () => {
    const list = await freshList();
    list.apply([{ seq: 9, kind: 'user', subject: 'u', expiresAtMs: nowMs + HOUR_MS }]);
    list.apply([{ seq: 3, kind: 'user', subject: 'u', expiresAtMs: nowMs + HOUR_MS }]);
    expect(isEnded(list, 'u', 8)).toBe(true);
  });

  test('tells by its version when judgements are old', async () => {
    const list = await freshList();
    const before = list.version;
    nowMs += REVOCATIONS_FRESH_MS;
    await list.ensureFresh(reading);
    expect(list.version).toBe(before);
    revoke('u', 1);
    nowMs += REVOCATIONS_FRESH_MS;
    await list.ensureFresh(reading);
    expect(list.version).toBeGreaterThan(before);
  });

  test('forgets what no token can be affected by any more', async () => {
    revoke('u', 1, 10_000);
    const list = await freshList();
    stored = [];
    nowMs += 10_000;
    await list.ensureFresh(reading);
    expect(isEnded(list, 'u')).toBe(false);
  });
});

describe('while the database cannot be read', () => {
  test('an isolate that never read it takes no token, and says when to come again', async () => {
    failing = true;
    const error = await freshList().catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({ status: 503, headers: { 'retry-after': '1' } });
  });

  test('the old list serves, for a bounded time', async () => {
    revoke('u', 1);
    const list = await freshList();
    failing = true;
    nowMs += REVOCATIONS_STALE_MAX_MS - 1;
    await list.ensureFresh(reading);
    expect(isEnded(list, 'u')).toBe(true);
    nowMs += 1;
    await expect(list.ensureFresh(reading)).rejects.toMatchObject({ status: 503 });
  });

  test('it is not asked more often than the retry allows', async () => {
    const list = await freshList();
    failing = true;
    nowMs += REVOCATIONS_FRESH_MS;
    await list.ensureFresh(reading);
    await settle();
    read.mockClear();
    await list.ensureFresh(reading);
    nowMs += READ_RETRY_MS - 1;
    await list.ensureFresh(reading);
    expect(read).not.toHaveBeenCalled();
    nowMs += 1;
    await list.ensureFresh(reading);
    expect(read).toHaveBeenCalledTimes(1);
  });

  test('nobody waits for a database that hangs, but the first to notice', async () => {
    const list = await freshList();
    gate = new Promise(() => {});
    nowMs += REVOCATIONS_FRESH_MS;
    let noticed = false;
    const first = list.ensureFresh(reading)?.then(() => {
      noticed = true;
    });
    await settle();
    expect(noticed).toBe(false);
    await pass(READ_TIMEOUT_MS);
    await first;
    nowMs += READ_RETRY_MS;
    await list.ensureFresh(reading);
  });

  test('a reading that never ends does not stand in the way of the next', async () => {
    const list = await freshList();
    gate = new Promise(() => {});
    nowMs += REVOCATIONS_FRESH_MS;
    const first = list.ensureFresh(reading);
    await settle();
    await pass(READ_TIMEOUT_MS);
    await first;
    gate = undefined;
    revoke('u', 1);
    nowMs += READ_RETRY_MS;
    await list.ensureFresh(reading);
    await settle();
    expect(isEnded(list, 'u')).toBe(true);
  });

  test('once it answers again, tokens are taken again and requests wait for fresh news again', async () => {
    failing = true;
    const list = new RevocationList();
    await expect(list.ensureFresh(reading)).rejects.toMatchObject({ status: 503 });
    await settle();
    failing = false;
    revoke('u', 1);
    nowMs += READ_RETRY_MS;
    await list.ensureFresh(reading);
    expect(isEnded(list, 'u')).toBe(true);
    revoke('v', 2);
    nowMs += REVOCATIONS_FRESH_MS;
    await list.ensureFresh(reading);
    expect(isEnded(list, 'v')).toBe(true);
  });

  test('a reading lives on when its request goes away', async () => {
    background.length = 0;
    await freshList();
    expect(background).toHaveLength(1);
    await expect(Promise.all(background)).resolves.toBeDefined();
  });
});
