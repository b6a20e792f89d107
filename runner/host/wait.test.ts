import { expect, it } from 'vitest';
import { KeyedQueue, together, until } from './wait.ts';

it('waits until there is an answer, and no longer than it may', async () => {
  let looks = 0;
  expect(await until(() => ++looks === 3 && 'there', { timeout_ms: 1000, every_ms: 1 })).toBe('there');
  expect(await until(() => null, { timeout_ms: 5, every_ms: 1 })).toBe(null);
  expect(await until(() => 0, { timeout_ms: 5 })).toBe(0);
  expect(await until(() => null, { timeout_ms: 60_000, signal: AbortSignal.timeout(5) })).toBe(null);
});

it('runs tasks of one key in order, past failures, and others beside them', async () => {
  const queue = new KeyedQueue();
  const done: string[] = [];
  let release = () => {};
  const first = queue.run('a', () =>
    new Promise<void>((resolve) => (release = resolve)).then(() => void done.push('a1')),
  );
  const second = queue.run('a', async () => {
    done.push('a2');
    throw new Error('no');
  });
  const third = queue.run('a', async () => void done.push('a3'));
  await queue.run('b', async () => void done.push('b'));
  expect(done).toEqual(['b']);
  release();
  await first;
  await expect(second).rejects.toThrow('no');
  await third;
  expect(done).toEqual(['b', 'a1', 'a2', 'a3']);
});

it('does together what is asked for meanwhile, and each by itself where that fails', async () => {
  const asked: string[][] = [];
  let go = () => {};
  const held = new Promise<void>((resolve) => {
    go = resolve;
  });
  const ask = together(async (items: string[]) => {
    asked.push(items);
    if (asked.length === 1) await held;
    if (items.includes('bad')) throw new Error('refused');
  });
  const first = ask('first');
  const others = Promise.allSettled([ask('one'), ask('bad'), ask('other')]);
  go();
  await first;
  expect((await others).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(asked).toEqual([['first'], ['one', 'bad', 'other'], ['one'], ['bad'], ['other']]);
});
