import { expect, it } from 'vitest';
import { reduced } from './reduce.ts';

const big = { server: { name: 'x'.repeat(64), tags: ['a', 'bad', 'c'], metadata: { a: 'b' } }, hints: { group: 'g' } };

it('leaves of a body what makes it fail', async () => {
  const fails = async (body: unknown) => JSON.stringify(body).includes('"bad"');
  expect(await reduced(big, fails, 1_000)).toEqual({ server: { tags: ['bad'] } });
});

it('cuts texts and asks no more often than it may', async () => {
  let asked = 0;
  const fails = async (body: unknown) => {
    asked += 1;
    return JSON.stringify(body).includes('xxxx');
  };
  expect(await reduced({ name: 'x'.repeat(64) }, fails, 1_000)).toEqual({ name: 'xxxx' });
  asked = 0;
  await reduced(big, fails, 5);
  expect(asked).toBe(5);
});
