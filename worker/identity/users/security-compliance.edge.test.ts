import { eq } from 'drizzle-orm';
import { describe, expect, test } from 'vitest';
import { passwordHistory, users } from '../../../db/schema/identity.ts';
import { edgeContext } from '../../../test/edge-context.ts';
import { must, newUser, type TestUser } from '../../../test/edge-identity.ts';
import type { Context } from '../../http/context.ts';
import { issueToken } from '../tokens/issue-token.ts';
import { renderTokenStart } from '../tokens/render-token.ts';
import { changePassword } from './change-password.ts';

const DAY_MS = 24 * 3600 * 1000;

/** A cloud with rules, whose clock the test moves. */
function cloudWith(rules: object, replaced: Partial<Context> = {}) {
  let offsetMs = 0;
  const plain = edgeContext();
  const ctx = edgeContext({
    env: { ...plain.env, SECURITY_COMPLIANCE: JSON.stringify(rules) },
    clock: { ...plain.clock, nowMs: () => Date.now() + offsetMs },
    ...replaced,
  });
  const outcome = (work: Promise<unknown>) =>
    work.then(
      () => 'done',
      (error: { status?: number; message: string }) => `${error.status} ${error.message}`,
    );
  return {
    ctx,
    pass: (ms: number) => {
      offsetMs += ms;
    },
    login: (user: TestUser, password = user.password) =>
      outcome(issueToken(ctx, { password: { user: { id: user.id }, password }, scope: { type: 'unscoped' } })),
    change: (user: TestUser, originalPassword: string, password: string) =>
      outcome(changePassword(ctx, { id: user.id, originalPassword, password })),
  };
}
const DENIED = '401 The request you have made requires authentication.';

describe('a lock-out', () => {
  test('comes after wrong passwords, ends by time, and counts anew', async () => {
    const cloud = cloudWith({ lockout_failure_attempts: 2, lockout_duration: 60 });
    const user = await newUser();
    expect(await cloud.login(user, 'wrong')).toBe(DENIED);
    expect(await cloud.login(user)).toBe('done');
    for (let at = 0; at < 2; at += 1) expect(await cloud.login(user, 'wrong')).toBe(DENIED);
    expect(await cloud.login(user)).toBe(DENIED);
    expect(await cloud.change(user, user.password, 'another')).toBe(DENIED);
    cloud.pass(61_000);
    expect(await cloud.login(user, 'wrong')).toBe(DENIED);
    expect(await cloud.login(user)).toBe('done');
  });

  test('comes by wrong passwords of a change, too', async () => {
    const cloud = cloudWith({ lockout_failure_attempts: 1, lockout_duration: 60 });
    const user = await newUser();
    expect(await cloud.change(user, 'wrong', 'another')).toBe(DENIED);
    expect(await cloud.login(user)).toBe(DENIED);
  });

  test('spares who is excepted, and ends when an administrator sets a password', async () => {
    const cloud = cloudWith({ lockout_failure_attempts: 1 });
    const excepted = await newUser('default', { options: { ignore_lockout_failure_attempts: true } });
    expect(await cloud.login(excepted, 'wrong')).toBe(DENIED);
    expect(await cloud.login(excepted)).toBe('done');
    const user = await newUser();
    expect(await cloud.login(user, 'wrong')).toBe(DENIED);
    await must('PATCH', `/users/${user.id}`, { body: { user: { password: 'fresh' } } });
    expect(await cloud.login(user, 'fresh')).toBe('done');
  });

  test('is not without rules, and then nothing is counted', async () => {
    const cloud = cloudWith({});
    const user = await newUser();
    for (let at = 0; at < 3; at += 1) await cloud.login(user, 'wrong');
    expect(await cloud.login(user)).toBe('done');
    const [row] = await cloud.ctx.db.select().from(users).where(eq(users.id, user.id));
    expect([row?.failedLogins, row?.failedAtMs]).toEqual([0, null]);
  });
});

test('a refusal costs the same writes whoever is asked for, or the time would tell whom there is', async () => {
  const { db } = edgeContext();
  let batches = 0;
  const counted = new Proxy(db, {
    get: (target, name) => {
      if (name === 'batch') batches += 1;
      const value = Reflect.get(target, name) as unknown;
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  const cloud = cloudWith({ lockout_failure_attempts: 1 }, { db: counted });
  const batchesOf = async (work: Promise<string>) => {
    batches = 0;
    expect(await work).toBe(DENIED);
    return batches;
  };
  const [user, excepted] = [
    await newUser(),
    await newUser('default', { options: { ignore_lockout_failure_attempts: true } }),
  ];
  const nobody = { ...user, id: crypto.randomUUID(), name: 'nobody-of-that-name' };
  const another = await newUser();
  const logIn = await batchesOf(cloud.login(user, 'wrong'));
  const change = await batchesOf(cloud.change(another, 'wrong', 'another'));
  expect(change).toBe(1);
  for (const one of [user, excepted, nobody]) {
    expect(await batchesOf(cloud.login(one, 'wrong'))).toBe(logIn);
    expect(await batchesOf(cloud.change(one, 'wrong', 'another'))).toBe(change);
  }
});

describe('a new password', () => {
  test('is none of the last', async () => {
    const cloud = cloudWith({ unique_last_password_count: 2 });
    const user = await newUser();
    expect(await cloud.change(user, user.password, user.password)).toMatch(/^400 .*identical to a previous password/);
    expect(await cloud.change(user, user.password, 'second')).toBe('done');
    expect(await cloud.change(user, 'second', 'third')).toBe('done');
    expect(await cloud.change(user, 'third', 'second')).toMatch(/^400 /);
    expect(await cloud.change(user, 'third', user.password)).toBe('done');
    const { db } = cloud.ctx;
    expect(await db.select().from(passwordHistory).where(eq(passwordHistory.userId, user.id))).toHaveLength(2);
  });

  test('is as the rules want it', async () => {
    const cloud = cloudWith({ password_regex: '.*\\d', password_regex_description: 'there is a digit' });
    const user = await newUser();
    expect(await cloud.change(user, user.password, 'none')).toBe(
      '400 The password does not match the requirements: there is a digit.',
    );
    expect(await cloud.change(user, user.password, 'one 1')).toBe('done');
  });

  test('is kept for a time', async () => {
    const cloud = cloudWith({ minimum_password_age: 2 });
    const user = await newUser();
    expect(await cloud.change(user, user.password, 'another')).toMatch(
      /^400 Cannot change password before minimum age/,
    );
    cloud.pass(2 * DAY_MS);
    expect(await cloud.change(user, user.password, 'another')).toBe('done');
  });
});

describe('a password', () => {
  test('expires, and can then only be changed', async () => {
    const cloud = cloudWith({ password_expires_days: 30 });
    const user = await newUser();
    expect(await cloud.change(user, user.password, 'second')).toBe('done');
    const shown = (await must('GET', `/users/${user.id}`)).body.user.password_expires_at;
    expect(shown).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}$/);
    const input = { password: { user: { id: user.id }, password: 'second' }, scope: { type: 'unscoped' } } as const;
    const { token } = await issueToken(cloud.ctx, input);
    expect(JSON.parse(`${renderTokenStart(token)}}}`).token.user.password_expires_at).toBe(shown);
    cloud.pass(31 * DAY_MS);
    expect(await cloud.login(user, 'second')).toBe(
      `401 The password is expired and needs to be changed for user: ${user.id}.`,
    );
    expect(await cloud.login(user, 'wrong')).toBe(DENIED);
    expect(await cloud.change(user, 'second', 'third')).toBe('done');
    expect(await cloud.login(user, 'third')).toBe('done');
    await must('PATCH', `/users/${user.id}`, { body: { user: { options: { ignore_password_expiry: true } } } });
    cloud.pass(31 * DAY_MS);
    expect(await cloud.login(user, 'third')).toBe('done');
  });
});

test('who has not come for long does not come in', async () => {
  const cloud = cloudWith({ disable_user_account_days_inactive: 30 });
  const user = await newUser();
  cloud.pass(20 * DAY_MS);
  expect(await cloud.login(user)).toBe('done');
  cloud.pass(20 * DAY_MS);
  expect(await cloud.login(user)).toBe('done');
  cloud.pass(31 * DAY_MS);
  expect(await cloud.login(user)).toBe(DENIED);
});

test('rules that there are not stop every log-in, rather than be forgotten', async () => {
  const cloud = cloudWith({ lockout_attempts: 2 });
  expect(await cloud.login(await newUser())).toMatch(/SECURITY_COMPLIANCE/);
});
