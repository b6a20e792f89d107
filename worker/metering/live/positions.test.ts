import { describe, expect, it } from 'vitest';
import { LIVE_RESOURCES_MAX } from '../limits.ts';
import { fromOf, idOf, type Positions, positionsOf } from './positions.ts';

const [ONE, OTHER, NEW] = ['1', '2', '3'].map((digit) => `${digit.repeat(8)}-0000-4000-8000-000000000000`) as [
  string,
  string,
  string,
];
const positions: Positions = new Map([
  [ONE, { n: 7, atMs: 2_000 }],
  [OTHER, { n: 9, atMs: 1_000 }],
]);

describe('where a reader is', () => {
  it('is read as it was written', () => {
    expect(positionsOf(idOf(positions))).toEqual(positions);
  });

  it.each(['x', `1.2`, `1.2.${ONE},`, `-1.2.${ONE}`, `1.2.${ONE}\n`, `${'9'.repeat(16)}.2.${ONE}`])(
    'is not %j',
    (text) => {
      expect(() => positionsOf(text)).toThrow(/Last-Event-ID/);
    },
  );

  it('is of no more machines than a stream can be', () => {
    const many = Array(LIVE_RESOURCES_MAX + 1).fill(`1.2.${ONE}`);
    expect(() => positionsOf(many.join(','))).toThrow(/Last-Event-ID/);
  });

  it('is its own number with a machine that it had, and the earliest time with one that it had not', () => {
    expect(fromOf(positions, ONE)).toEqual({ n: 7, atMs: 2_000 });
    expect(fromOf(positions, NEW)).toEqual({ n: null, atMs: 1_000 });
    expect(fromOf(null, ONE)).toBeNull();
  });
});
