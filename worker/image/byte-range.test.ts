import { describe, expect, it } from 'vitest';
import { parseByteRange } from './byte-range.ts';

describe('parseByteRange', () => {
  it.each([
    [undefined, undefined],
    ['bytes=0-0', { first: 0, last: 0 }],
    ['bytes=2-5', { first: 2, last: 5 }],
    ['bytes=2-', { first: 2, last: 9 }],
    ['bytes=2-900', { first: 2, last: 9 }],
    ['bytes=-3', { first: 7, last: 9 }],
    ['bytes=-30', { first: 0, last: 9 }],
    ['Bytes = 9 - 9', { first: 9, last: 9 }],
  ])('of %j in ten bytes is %j', (header, expected) => {
    expect(parseByteRange(header, 10)).toEqual(expected);
  });

  it.each([
    ['bytes=10-', 416],
    ['bytes=5-2', 416],
    ['bytes=-0', 416],
    ['bytes=-', 416],
    ['bytes=a-b', 416],
    ['lines=1-2', 416],
    ['bytes=0-1,4-5', 400],
  ])('of %j in ten bytes is refused with %i', (header, status) => {
    expect(() => parseByteRange(header, 10)).toThrow(expect.objectContaining({ status }));
  });

  it('says how many bytes there are when it refuses', () => {
    expect(() => parseByteRange('bytes=0-', 0)).toThrow(
      expect.objectContaining({ status: 416, headers: { 'content-range': 'bytes */0' } }),
    );
  });
});
