import { expect, it } from 'vitest';
import { KeyedQueue, until } from './wait.ts';

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
