import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';

/**
 * What a new hash costs: 16 MiB and about 45 ms of the one thread that answers. To crack it costs more than bcrypt of 300 ms
 * does: the table of Percival's paper on scrypt has these parameters at 35 times bcrypt of cost 11.
 */
const COST = { N: 2 ** 14, r: 8, p: 1 };
const KEY_BYTES = 32;
const SALT_BYTES = 16;
/** Room for parameters of up to four times the present cost, so that older and newer hashes can be checked. */
const MEMORY_BYTES_MAX = 128 * 1024 * 1024;
/** Longer passwords are refused, as Keystone's `max_password_length` does. */
export const PASSWORD_BYTES_MAX = 4096;

/** A hash to compare with when there is no user or no password, so that this takes the same time. */
const NOBODY = format(COST, Buffer.alloc(SALT_BYTES), Buffer.alloc(KEY_BYTES));

export interface PasswordCheck {
  ok: boolean;
  /** The password is right, but its hash was made with other parameters: store a new one. */
  stale: boolean;
}

/** A new salted hash: `scrypt$N$r$p$salt$hash`, salt and hash in base64. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  return format(COST, salt, await derive(password, salt, COST));
}

/**
 * Whether a password has this hash, in constant time. Null (no such user, no password) costs as much and never matches.
 * @throws Error when the stored text is not a hash of ours
 */
export async function verifyPassword(password: string, stored: string | null): Promise<PasswordCheck> {
  const { cost, salt, hash } = parse(stored ?? NOBODY);
  const derived = await derive(password, salt, cost);
  const ok = timingSafeEqual(derived, hash) && stored !== null && Buffer.byteLength(password) <= PASSWORD_BYTES_MAX;
  return { ok, stale: ok && (cost.N !== COST.N || cost.r !== COST.r || cost.p !== COST.p) };
}

type Cost = typeof COST;

function derive(password: string, salt: Buffer, cost: Cost): Promise<Buffer> {
  const bytes = Buffer.from(password.normalize('NFC')).subarray(0, PASSWORD_BYTES_MAX + 1);
  return new Promise((resolve, reject) => {
    scrypt(bytes, salt, KEY_BYTES, { ...cost, maxmem: MEMORY_BYTES_MAX }, (error, key) =>
      error ? reject(error) : resolve(key),
    );
  });
}

function format(cost: Cost, salt: Buffer, hash: Buffer): string {
  return ['scrypt', cost.N, cost.r, cost.p, salt.toString('base64'), hash.toString('base64')].join('$');
}

function parse(stored: string): { cost: Cost; salt: Buffer; hash: Buffer } {
  const match = /^scrypt\$(\d+)\$(\d+)\$(\d+)\$([A-Za-z0-9+/=]+)\$([A-Za-z0-9+/=]+)$/.exec(stored);
  const [, N, r, p, salt, hash] = match ?? [];
  const bytes = Buffer.from(hash ?? '', 'base64');
  if (bytes.length !== KEY_BYTES) throw new Error('a stored password hash cannot be read: reset this password');
  return { cost: { N: Number(N), r: Number(r), p: Number(p) }, salt: Buffer.from(salt ?? '', 'base64'), hash: bytes };
}
