import { scryptSync } from 'node:crypto';
import { expect, test } from 'vitest';
import { hashPassword, PASSWORD_BYTES_MAX, verifyPassword } from './password.ts';

function hashedWith(password: string, N: number): string {
  const salt = Buffer.from('0123456789abcdef');
  const hash = scryptSync(password, salt, 32, { N, r: 8, p: 1, maxmem: 256 * 1024 * 1024 });
  return `scrypt$${N}$8$1$${salt.toString('base64')}$${hash.toString('base64')}`;
}

/** The shortest of several tries: what a busy machine adds is not the work's. */
async function shortestMs(work: () => Promise<unknown>): Promise<number> {
  let shortest = Number.POSITIVE_INFINITY;
  for (let tries = 0; tries < 5; tries += 1) {
    const start = performance.now();
    await work();
    shortest = Math.min(shortest, performance.now() - start);
  }
  return shortest;
}

test('a password matches its own hash and no other password does', async () => {
  const hash = await hashPassword('correct horse');
  expect(hash).toMatch(/^scrypt\$16384\$8\$1\$[^$]+\$[^$]+$/);
  expect(await verifyPassword('correct horse', hash)).toEqual({ ok: true, stale: false });
  expect(await verifyPassword('correct horsf', hash)).toEqual({ ok: false, stale: false });
  expect(await verifyPassword('', hash)).toEqual({ ok: false, stale: false });
});

test('each hash has its own salt', async () => {
  expect(await hashPassword('same')).not.toBe(await hashPassword('same'));
});

test('a hash made with other parameters still matches, and asks to be replaced', async () => {
  expect(await verifyPassword('old', hashedWith('old', 2 ** 12))).toEqual({ ok: true, stale: true });
  expect(await verifyPassword('not', hashedWith('old', 2 ** 12))).toEqual({ ok: false, stale: false });
  expect(await verifyPassword('new', hashedWith('new', 2 ** 16))).toEqual({ ok: true, stale: true });
});

test('nobody has no password, and finding that out takes as long', async () => {
  const hash = await hashPassword('secret');
  expect(await verifyPassword('', null)).toEqual({ ok: false, stale: false });
  const known = await shortestMs(() => verifyPassword('wrong', hash));
  const unknown = await shortestMs(() => verifyPassword('wrong', null));
  expect(unknown).toBeGreaterThan(known / 4);
});

test('the same letters written in two ways are one password', async () => {
  expect((await verifyPassword('e\u0301', await hashPassword('\u00e9'))).ok).toBe(true);
});

test('a password over the limit never matches', async () => {
  const long = 'x'.repeat(PASSWORD_BYTES_MAX + 1);
  expect((await verifyPassword(long, await hashPassword(long))).ok).toBe(false);
});

test.each(['', 'plain', 'scrypt$1$2$3', 'scrypt$16384$8$1$AAAA$AAAA'])('%j is not taken for a hash', async (stored) => {
  await expect(verifyPassword('x', stored)).rejects.toThrow('cannot be read');
});
