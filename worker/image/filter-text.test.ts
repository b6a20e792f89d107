import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { splitOperator, splitValues } from './filter-text.ts';
import { FILTER_VALUES_MAX } from './limits.ts';

describe('splitOperator', () => {
  it.each([
    ['plain', 'eq', 'plain'],
    ['in:a,b', 'in', 'a,b'],
    ['gt:2026-01-02T03:04:05Z', 'gt', '2026-01-02T03:04:05Z'],
    ['2026-01-02T03:04:05Z', 'eq', '2026-01-02T03:04:05Z'],
    ['a:b:c', 'a', 'b:c'],
    ['', 'eq', ''],
  ])('of %j', (text, operator, operand) => {
    expect(splitOperator(text)).toEqual([operator, operand]);
  });
});

describe('splitValues', () => {
  it.each([
    ['a', ['a']],
    ['a,b', ['a', 'b']],
    ['"a,b",c', ['a,b', 'c']],
    ['"a","b"', ['a', 'b']],
    ['"say \\"hi\\"",b', ['say \\"hi\\"', 'b']],
    ['a,,b', ['a', '', 'b']],
    ['', []],
  ])('of %j', (text, values) => {
    expect(splitValues(text)).toEqual(values);
  });

  it.each([['a"b"'], ['"a"b'], ['"a'], ['a,"b']])('refuses %j', (text) => {
    expect(() => splitValues(text)).toThrow(expect.objectContaining({ status: 400 }));
  });

  it('refuses more values than a filter takes', () => {
    expect(() => splitValues('x,'.repeat(FILTER_VALUES_MAX + 1))).toThrow(expect.objectContaining({ status: 400 }));
  });

  it('gives back values that hold no quotes, whatever else they hold', () => {
    const value = fc.string({ minLength: 1 }).filter((text) => !/["\\]/.test(text));
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 20 }), (values) => {
        expect(splitValues(values.map((one) => `"${one}"`).join(','))).toEqual(values);
      }),
    );
  });
});
